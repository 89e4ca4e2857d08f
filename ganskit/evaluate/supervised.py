"""Section 5.2's control: the discriminator's architecture trained on the labels alone.

Radford 2016, section 5.2: "we validate that the CNN architecture used in DCGAN is not the key contributing factor of the model's
performance by training a purely supervised CNN with the same architecture on the same data and optimizing this model via random
search over 64 hyperparameter trials (Bergstra & Bengio, 2012). It achieves a signficantly higher 28.87% validation error."
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from attrs import field, frozen
from torch import nn
from tqdm import tqdm

from ganskit import Dataset, Evaluator, Model, Recipe, Result, Shape, UserError
from ganskit.config import unstructure
from ganskit.data.files import write_whole
from ganskit.data.guards import locked
from ganskit.data.home import data_home
from ganskit.engine.device import autocast
from ganskit.engine.sampling import as_input
from ganskit.evaluate.calibrate import freeze_statistics
from ganskit.evaluate.judging import shown
from ganskit.evaluate.required import check_data, check_nets
from ganskit.evaluate.svm.draws import Draws
from ganskit.evaluate.svm.parts import Part, check_label, parts
from ganskit.validators import at_least, random_seed

if TYPE_CHECKING:
    from optuna import Study, Trial

VERSION = 2
"""Changes whenever the same settings would give another error, so that they are tried anew."""
AT_ONCE = 256
BATCHES = (32, 64, 128)


@frozen(kw_only=True)
class Supervised(Evaluator):
    """The net `net` of the recipe, with as many outputs as classes, on `per_class` labels of each: the best of `trials` trials.

    Adam's learning rate, beta1 and L2 weight, the batch size and the number of epochs (up to `epochs`) are drawn at random by
    Optuna; the paper does not say from where. Trial i depends on the seed and i alone. They are kept in ganskit's data folder:
    what was interrupted goes on, and what was done is not done again. Datasets are as for `svm`; the run's weights are not used.
    """

    data: Dataset | None = None
    validation: Dataset | None = None
    test: Dataset | None = None
    label: str = "y"
    net: str = "D"
    per_class: int = field(default=100, validator=at_least(2))
    trials: int = field(default=64, validator=at_least(1))
    epochs: int = field(default=100, validator=at_least(1))
    seed: int = field(default=42, validator=random_seed)

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for a recipe without that net, and for data without labels or of another shape."""
        check_nets(recipe, self.net)
        check_data(recipe, self.data, self.validation, self.test)
        data = self.data or recipe.data
        check_label(data.provides(), self.label, type(data).__name__)

    def evaluate(self, model: Model) -> Result:
        """Errors in per cent. Raises UserError without Optuna."""
        architecture = model.recipe.nets[self.net]
        split = parts(model, self.data, self.validation, self.test, self.label, self.seed)
        train = split.train.at(Draws(split.train.labels, split.train.names, self.per_class, self.seed).next())
        x, y = _tensors(train)
        about = {
            "net": unstructure(architecture),
            "data": split.about(),
            "label": self.label,
            "labels_per_class": self.per_class,
            "epochs": self.epochs,
            "seed": self.seed,
            "precision": model.precision,
        }

        def errors_of(settings: dict[str, Any], number: int, part: Part) -> float:
            with torch.random.fork_rng([model.device] if model.device.type == "cuda" else []):
                net = self._trained(model, x, y, len(train.names), settings, _seed(self.seed, number))
                return _error(net, part, model)

        with _study({**about, "device": model.device.type}) as study:
            bar = tqdm(total=self.trials, desc="Random search", unit=" trials", disable=None, leave=False)
            with bar:
                for number in range(self.trials):
                    bar.update()
                    if number < len(_complete(study)):
                        continue
                    trial = _asked(study, _seed(self.seed, number, 1))
                    study.tell(trial, errors_of(_settings(trial, self.epochs), number, split.validation))
            done = _complete(study)[: self.trials]
        best = min(range(len(done)), key=lambda number: done[number].value)
        values = [100 * trial.value for trial in done]
        return Result(
            {"validation_error": values[best], "error": 100 * errors_of(done[best].params, best, split.test)},
            {**about, "trials": self.trials, "search": "random, Optuna"},
            details={
                "best": done[best].params,
                "trials": [{"validation_error": value, **trial.params} for value, trial in zip(values, done, strict=True)],
            },
        )

    def _trained(
        self, model: Model, x: torch.Tensor, y: torch.Tensor, num_classes: int, settings: dict[str, Any], seed: int
    ) -> nn.Module:
        """The net, trained and frozen."""
        torch.manual_seed(seed)
        shape = tuple(x.shape[1:])
        net = model.recipe.nets[self.net].build(Shape(shape, (num_classes,))).to(model.device)
        adam = torch.optim.Adam(
            net.parameters(), settings["lr"], (settings["beta1"], 0.999), weight_decay=settings["weight_decay"]
        )
        size = min(settings["batch_size"], len(x))
        for _ in range(settings["epochs"]):
            for rows in torch.split(torch.randperm(len(x)), size)[: len(x) // size]:
                with shown(model, self.net, shape), autocast(model.precision, model.device):
                    logits = net(x[rows].to(model.device))
                if logits.shape != (size, num_classes):
                    raise UserError(
                        f"{self.net} gives {tuple(logits.shape)} for {size} pictures: expected {(size, num_classes)}."
                    )
                loss = F.cross_entropy(logits.float(), y[rows].to(model.device))
                adam.zero_grad()
                torch.autograd.backward(loss)
                adam.step()

        def look(rows: torch.Tensor) -> None:
            with autocast(model.precision, model.device):
                net(x[rows].to(model.device))

        freeze_statistics(net, [partial(look, rows) for rows in _whole_batches(len(x))])
        return net


def _whole_batches(num: int) -> list[torch.Tensor]:
    size = min(num, 128)
    return list(torch.split(torch.arange(num), size))[: num // size]


def _tensors(part: Part) -> tuple[torch.Tensor, torch.Tensor]:
    """x (N, C, H, W) in [-1, 1] and labels (N,)."""
    return as_input(part.store.fields["x"], part.store.gather(part.places, ["x"])["x"]), part.y


@torch.no_grad()
def _error(net: nn.Module, part: Part, model: Model) -> float:
    """The share of examples whose class is not the net's."""
    wrong = 0
    for start in range(0, len(part), AT_ONCE):
        few = part.at(np.arange(start, min(start + AT_ONCE, len(part))))
        x, y = _tensors(few)
        with autocast(model.precision, model.device):
            wrong += int((net(x.to(model.device)).argmax(1).cpu() != y).sum())
    return wrong / len(part)


def _settings(trial: Trial, epochs: int) -> dict[str, Any]:
    """One draw from the space that we search."""
    return {
        "lr": trial.suggest_float("lr", 1e-4, 1e-2, log=True),
        "beta1": trial.suggest_categorical("beta1", [0.5, 0.9]),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True),
        "batch_size": trial.suggest_categorical("batch_size", BATCHES),
        "epochs": trial.suggest_int("epochs", max(1, epochs // 10), epochs, log=True),
    }


def _seed(*key: int) -> int:
    return int(np.random.SeedSequence(key).generate_state(1)[0])


def _asked(study: Study, seed: int) -> Trial:
    from optuna.samplers import RandomSampler

    study.sampler = RandomSampler(seed=seed)  # anew for each trial, so that a resumed search draws the same
    return study.ask()


def _complete(study: Study) -> list[Any]:
    """Finished trials in their order; one that was interrupted is none of them."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


@contextmanager
def _study(about: dict[str, Any]) -> Iterator[Study]:
    """The search for these settings, from a journal of JSON lines; another process that wants it waits.

    Raises UserError when Optuna is not there.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise UserError('The evaluator "supervised" needs Optuna: pip install "ganskit[eval]".') from None
    name = hashlib.sha256(json.dumps([VERSION, about], sort_keys=True).encode()).hexdigest()[:12]
    file = data_home() / "studies" / f"supervised-{name}.jsonl"
    verbosity = optuna.logging.get_verbosity()
    with locked(file.with_suffix(""), progress=True):  # Optuna has a lock of its own, beside the file
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            _cut_what_is_no_line(file)
            storage = JournalStorage(JournalFileBackend(str(file)))
            yield optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
        finally:
            optuna.logging.set_verbosity(verbosity)


def _cut_what_is_no_line(journal: Path) -> None:
    """A power cut or a full disk may leave half a line, which Optuna cannot read; trials from there on are made again."""
    data = journal.read_bytes() if journal.is_file() else b""
    whole = 0
    for line in data.splitlines(keepends=True):
        if not (line.endswith(b"\n") and _is_json(line)):
            write_whole(journal, data[:whole])
            break
        whole += len(line)


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
