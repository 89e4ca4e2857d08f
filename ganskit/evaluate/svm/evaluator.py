"""`ganskit eval RUN svm`: how well a linear classifier does on what a discriminator has learned."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from attrs import field, frozen
from attrs.validators import optional

from ganskit import Dataset, Evaluator, Model, Recipe, Result, UserError
from ganskit.data.dataset import described
from ganskit.evaluate.required import check_data, check_nets
from ganskit.evaluate.svm.extract import FEATURES, extracting, extractor
from ganskit.evaluate.svm.parts import Part, Parts, check_label, parts
from ganskit.evaluate.svm.plots import pictured
from ganskit.evaluate.svm.protocol import Extract, Outcome, on_all_labels, on_draws
from ganskit.evaluate.svm.reference import SOLVERS
from ganskit.evaluate.svm.rows import Rows
from ganskit.validators import at_least, one_of, random_seed

CS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
"""svhn/svhn_semisup_analysis.py in the authors' code."""


def _positive_cs(instance: object, option: attrs.Attribute[Any], value: tuple[float, ...]) -> None:
    if not value or not all(0 < c < float("inf") for c in value) or len(set(value)) < len(value):
        raise UserError(f"{option.name} is {list(value)}: expected one number above 0, or several different ones.")


@frozen(kw_only=True)
class Protocol(Evaluator):
    """What all classifiers of section 5 have in common: data, labels, draws, and a linear L2-SVM whose C validation chooses.

    `data`, `validation` and `test` are labelled datasets; `data` None is the run's own, the others None its splits of that name,
    else 10,000 examples (a tenth at most) of `data`, drawn by the seed. `per_class` None trains on all labels. Else so many of
    each class are drawn: `draws` times for each C, and `test_draws` times for the test. `solver` "torch" is ours, for all classes
    and all C at once; "sklearn" is LIBLINEAR.
    """

    data: Dataset | None = None
    validation: Dataset | None = None
    test: Dataset | None = None
    label: str = "y"
    per_class: int | None = field(default=None, validator=optional(at_least(1)))
    Cs: tuple[float, ...] = field(default=CS, validator=_positive_cs)
    draws: int = field(default=10, validator=at_least(1))
    test_draws: int = field(default=100, validator=at_least(1))
    seed: int = field(default=42, validator=random_seed)
    solver: str = field(default="torch", validator=one_of(*SOLVERS))

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for data without labels or pictures, and for pictures of another shape."""
        data = self.data or recipe.data
        fields, whose = data.provides(), type(data).__name__
        check_label(fields, self.label, whose)
        if "x" not in fields or len(fields["x"].shape) != 3:
            raise UserError(f"Features are made of pictures x (C, H, W), and {whose} has {described(fields)}.")
        check_data(recipe, self.data, self.validation, self.test)

    def parts(self, model: Model) -> Parts:
        """What is trained on, chosen by and tested on. Raises UserError for data without labels."""
        return parts(model, self.data, self.validation, self.test, self.label, self.seed)


@frozen(kw_only=True)
class Svm(Protocol):
    """Radford 2016, sections 5.1 and 5.2: a regularised linear L2-SVM on the discriminator's features.

    Features of all convolutions of `net` are max-pooled to `grid` x `grid`, flattened and concatenated, unscaled. Batch-norm
    statistics are averages over `batches` batches (None: all of them, as the authors took) of the run's training data; or, if
    `statistics` is "data", of all of `data`, as is needed for nets whose own data are not here.
    `features` "random" are those of the same net with random weights, and "pixels" the pictures' own values.

    The defaults with `per_class` = 100 are section 5.2's protocol: 1,000 labels, C chosen on 10,000 validation images with ten
    draws for each, a hundred draws on the test set. On CIFAR-10, section 5.1, `per_class` is all, or 400.
    """

    net: str = "D"
    grid: int = field(default=4, validator=at_least(1))
    features: str = field(default="discriminator", validator=one_of(*FEATURES))
    batches: int | None = field(default=None, validator=optional(at_least(1)))
    statistics: str = field(default="run", validator=one_of("run", "data"))

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for a recipe without that net, too."""
        super().check(recipe)
        if self.features != "pixels":
            check_nets(recipe, self.net)

    def evaluate(self, model: Model) -> Result:
        """Errors in per cent. Raises UserError for a net without convolutions, and for labels that cannot be learnt."""
        other = model.store(self.data) if self.statistics == "data" else None
        made = extractor(model, self.features, self.net, self.grid, self.batches, self.seed, other)
        with extracting(made, model.device) as extraction:
            about = {name: getattr(self, name) for name in ("features", "net", "grid", "batches", "statistics")}
            about["precision"] = "fp32" if self.features == "pixels" else model.precision

            def extract(part: Part, title: str) -> Rows:
                return extraction.rows(part.store, part.places, title)

            return measured(self, model, self.parts(model), extract, about)


def measured(options: Protocol, model: Model, split: Parts, extract: Extract, about: dict[str, Any]) -> Result:
    """The protocol on features that `extract` makes of its parts; `about` is what the features are, for the protocol."""
    width: list[int] = []

    def counted(part: Part, title: str) -> Rows:
        rows: Rows = extract(part, title)
        width.append(rows.width)
        return rows

    if options.per_class is None:
        outcome = on_all_labels(split, counted, options.solver, options.Cs)
    else:
        how = options.per_class, options.draws, options.test_draws, options.seed
        outcome = on_draws(split, counted, options.solver, options.Cs, *how)
    names = split.train.names
    protocol = {
        "data": split.about(),
        "classes": len(names),
        "label": options.label,
        "labels_per_class": options.per_class or "all",
        "draws": {"per_C": options.draws, "test": options.test_draws} if options.per_class else 1,
        "Cs": list(options.Cs),
        "seed": options.seed,
        "solver": options.solver,
        "loss": "squared hinge, one-vs-rest, regularised intercept",
        "num_features": width[0],
        **about,
        "weights_sha256": model.identity["weights_sha256"],
    }
    return Result(_numbers(outcome), protocol, plots=pictured(outcome, names), details=outcome.details(names))


def _numbers(outcome: Outcome) -> dict[str, float]:
    """In per cent; `interval` is 1.96 standard deviations of the draws, as the authors' code prints it."""
    error = 100 * float(outcome.test.mean())
    validation = 100 * float(np.mean(outcome.by_c[outcome.c]))
    numbers = {"error": error, "accuracy": 100 - error, "C": outcome.c, "validation_error": validation}
    if len(outcome.test) > 1:
        std = 100 * float(outcome.test.std())
        numbers |= {"std": std, "interval": 1.96 * std}
    return numbers
