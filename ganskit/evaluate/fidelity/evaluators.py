"""FID, KID, precision and recall, and the Inception Score, as evaluators."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch_fidelity
from attrs import field, frozen
from attrs.validators import optional

from ganskit.data.dataset import Dataset
from ganskit.evaluate.fidelity import metrics
from ganskit.evaluate.fidelity.extractor import Extractor, inception, vgg16
from ganskit.evaluate.fidelity.features import features, kept_features
from ganskit.evaluate.fidelity.inputs import Reference, Samples, check_any_pictures, check_pictures
from ganskit.evaluate.fidelity.weights import INCEPTION, VGG16, Published, check_weights
from ganskit.evaluate.model import Model
from ganskit.evaluate.required import check_data
from ganskit.evaluator import Evaluator, Result
from ganskit.recipe import Recipe
from ganskit.validators import at_least, not_negative, one_of

LOGITS = "logits_unbiased"
NUM = 10_000
"""Heusel 2017 computes FID on 50,000 samples, and their code warns below 10,000; the number of samples is part of the number."""


@frozen
class Compared(Evaluator):
    """Samples beside real pictures, in some net's features.

    `num` samples from `seed`; `num_real` (None: as many) of `data` (None: the run's own), chosen by `seed`, too.
    """

    num: int = field(default=NUM, validator=at_least(1))
    seed: int = field(default=0, validator=not_negative)
    data: Dataset | None = None
    num_real: int | None = field(default=None, validator=optional(at_least(1)))
    batch_size: int = field(default=64, validator=at_least(1))

    @property
    def counts(self) -> dict[str, int]:
        """How many of either, by the options' names."""
        return {"num": self.num, "num_real": self.num_real or self.num}

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for data without pictures, or with those of another shape."""
        check_data(recipe, self.data)
        data = self.data or recipe.data
        check_pictures(data.provides(), type(data).__name__)

    def real_examples(self) -> int:
        """`num_real`, unless they are of other data."""
        return self.counts["num_real"] if self.data is None else 0

    def inputs(self, model: Model) -> tuple[Samples, Reference]:
        """What is compared. Raises UserError where there are no pictures, or too few."""
        return Samples(model, self.num, self.seed), Reference(model.store(self.data), self.counts["num_real"], self.seed)

    def compared(
        self, inputs: tuple[Samples, Reference], extractor: Extractor
    ) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Features (num, F) of samples, (num_real, F) of real pictures, and the protocol."""
        samples, real = inputs
        theirs = kept_features(real, extractor, self.batch_size)
        ours = kept_features(samples, extractor, self.batch_size)
        return ours, theirs, {**protocol(samples, extractor), "real": dict(real.protocol)}


def protocol(samples: Samples, extractor: Extractor) -> dict[str, Any]:
    """What is needed to get features of samples again."""
    pictures = "rounded to uint8, grey repeated" if extractor.colour else "rounded to uint8"
    made = {"extractor": dict(extractor.protocol), "torch_fidelity": torch_fidelity.__version__}
    return {**samples.protocol, "pictures": pictures, **made}


@frozen
class _Inception(Compared):
    """In the features of Inception-v3. `weights` is a file of its weights ("": torch-fidelity's published one); of a .pth
    file that is not that one, `weights_sha256` must be stated.
    """

    weights: str = ""
    weights_sha256: str = ""

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for data without pictures, and for weights that are missing or of another network."""
        super().check(recipe)
        check_weights(self.published, self.weights, self.weights_sha256, partial(self.extractor, torch.device("cpu")))

    @property
    def published(self) -> Published:
        """The network whose features are compared."""
        return INCEPTION

    def extractor(self, device: torch.device) -> Extractor:
        """What makes the features. Raises UserError for weights that are missing or of another network."""
        return inception(device, self.weights, self.weights_sha256)


@frozen
class Fid(_Inception):
    """Heusel 2017, section 2: the Fréchet distance of two Gaussians, of samples' and of real pictures' 2,048 features.

    Equal to torch-fidelity's on the same pictures. It grows as `num` shrinks: compare only numbers of the same `num`.
    `allow_few` permits a covariance that so few pictures do not determine.
    """

    allow_few: bool = False

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for too few pictures, too."""
        metrics.enough_for_covariance(2048, self.allow_few, **self.counts)
        super().check(recipe)

    def evaluate(self, model: Model) -> Result:
        """{"fid"}."""
        inputs = self.inputs(model)
        ours, real, said = self.compared(inputs, self.extractor(model.device))
        few = {"allow_few": True} if min(self.counts.values()) <= 2048 else {}
        return Result({"fid": metrics.frechet(ours, real)}, said | few, shown(inputs[0]))


@frozen
class Kid(_Inception):
    """Bińkowski 2018, section 4: the squared MMD with a polynomial kernel of degree 3, averaged over `subsets` of `subset_size`.

    Unbiased, so that small numbers of samples make it noisy and not larger; it can be below 0.
    """

    subsets: int = field(default=100, validator=at_least(1))
    subset_size: int = field(default=1000, validator=at_least(2))

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for fewer pictures than are in a subset, too."""
        metrics.enough(self.subset_size, f"KID is of subsets of subset_size={self.subset_size:,}", **self.counts)
        super().check(recipe)

    def evaluate(self, model: Model) -> Result:
        """{"kid", "kid_std"}."""
        ours, real, said = self.compared(self.inputs(model), self.extractor(model.device))
        mean, std = metrics.kernel(ours, real, self.subsets, self.subset_size, self.seed)
        return Result({"kid": mean, "kid_std": std}, said | {"subsets": self.subsets, "subset_size": self.subset_size})


@frozen
class PrecisionRecall(_Inception):
    """Kynkäänniemi 2019, eqs. 1 and 2: the share of samples within the reals' manifold, and of reals within the samples'.

    A manifold is the union of balls that reach from each point to its `neighbours`-th nearest; "we use k = 3" (section 3.1).
    `network` "vgg16" has the paper's features; numbers in those and in Inception's do not compare.
    """

    neighbours: int = field(default=3, validator=at_least(1))
    network: str = field(default="inception-v3", validator=one_of("inception-v3", "vgg16"))

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for fewer pictures than neighbours, too."""
        why = f"a point needs {self.neighbours} neighbours beside itself"
        metrics.enough(self.neighbours + 1, why, **self.counts)
        super().check(recipe)

    @property
    def published(self) -> Published:
        """Of `network`."""
        return VGG16 if self.network == "vgg16" else INCEPTION

    def extractor(self, device: torch.device) -> Extractor:
        """Of `network`."""
        net = vgg16 if self.network == "vgg16" else inception
        return net(device, self.weights, self.weights_sha256)

    def evaluate(self, model: Model) -> Result:
        """{"precision", "recall", "f_score"}."""
        ours, real, said = self.compared(self.inputs(model), self.extractor(model.device))
        return Result(metrics.precision_recall(ours, real, self.neighbours), said | {"neighbours": self.neighbours})


@frozen
class InceptionScore(Evaluator):
    """Salimans 2016, section 4: exp(E KL(p(y|x) || p(y))) by Inception's classes, averaged over `splits` parts of the samples.

    "we find that it's important to evaluate the metric on a large enough number of samples (i.e. 50k)". `allow_few` permits
    parts with fewer samples than the network has classes. `weights` as for FID, with the logits' layer.
    """

    num: int = field(default=50_000, validator=at_least(1))
    seed: int = field(default=0, validator=not_negative)
    splits: int = field(default=10, validator=at_least(1))
    batch_size: int = field(default=64, validator=at_least(1))
    weights: str = ""
    weights_sha256: str = ""
    allow_few: bool = False

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for too few samples, and for weights that are missing, of another network, or without logits."""
        each = 1 if self.allow_few else 1008
        why = f"each of splits={self.splits} has its own mean over 1,008 classes (allow_few=true permits less)"
        metrics.enough(each * self.splits, why, num=self.num)
        check_any_pictures(recipe, "An Inception Score")
        opens = partial(self._extractor, torch.device("cpu"))
        check_weights(INCEPTION, self.weights, self.weights_sha256, opens, LOGITS)

    def _extractor(self, device: torch.device) -> Extractor:
        return inception(device, self.weights, self.weights_sha256, LOGITS)

    def evaluate(self, model: Model) -> Result:
        """{"inception_score", "inception_score_std"}."""
        samples = Samples(model, self.num, self.seed)
        extractor = self._extractor(model.device)
        logits = features(samples, extractor, self.batch_size)
        mean, std = metrics.inception_score(logits, self.splits, self.seed)
        few = {"allow_few": True} if self.num < 1008 * self.splits else {}
        said = protocol(samples, extractor) | {"splits": self.splits} | few
        return Result({"inception_score": mean, "inception_score_std": std}, said, shown(samples))


def shown(samples: Samples) -> dict[str, torch.Tensor]:
    """A few of what was measured."""
    return {"samples": samples.rows(0, min(64, samples.num)) / 127.5 - 1}
