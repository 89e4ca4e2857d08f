"""Does the generator replay its training pictures? The nearest ones beside samples, and how near they are.

Radford 2016, section 4.1: "As visual quality of samples from generative image models has improved, concerns of over-fitting and
memorization of training samples have risen." Pictures are compared by the codes of section 4.1.1, with which the paper looks for
near-duplicates.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import field, frozen
from attrs.validators import optional
from tqdm import tqdm

from ganskit.data.dataset import Dataset
from ganskit.data.duplicates import MAX_RADIUS, RADIUS
from ganskit.data.guards import locked
from ganskit.data.hamming import BITS, Codes, distance, packed_codes
from ganskit.data.home import data_home
from ganskit.data.store import Store
from ganskit.dedup import check, codes_of, recipe_for
from ganskit.engine.rundir import RunDir
from ganskit.engine.sampling import as_input
from ganskit.errors import GanskitError, UserError
from ganskit.evaluate.kept import kept
from ganskit.evaluate.model import Model, load
from ganskit.evaluate.plots import svg
from ganskit.evaluate.required import check_data
from ganskit.evaluator import Evaluator, Picture, Result
from ganskit.pictures import to_bytes
from ganskit.recipe import Recipe, evolve, read_toml, to_table
from ganskit.validators import at_least, not_negative

AT_ONCE = 1024
FAR = 255
"""In bits; farther than any code is."""


@frozen(kw_only=True)
class Memorise(Evaluator):
    """How near `num` samples are to the training data, against `num` real pictures that were not trained on.

    Distances are in bits of 128, between the codes of the near-duplicate autoencoder (Radford 2016, section 4.1.1). That is a run
    of dcgan-dedup: `coder`, or else the one that `ganskit data dedup` left in runs/, or else one that is trained once for
    `coder_samples` samples (None: as many as `ganskit data dedup` takes) and kept in ganskit's data folder.

    The fresh real pictures are of `held_out`: another split, or another seed of drawn data. Without it training pictures
    stand in, each compared with all others.

    `nearer` is the number to look at: how often a sample is nearer to the training data than a fresh picture is (the statistic
    of Meehan 2020). 0.5 is as it should be; a generator that replays comes near to 1. Within `radius` bits is a near-duplicate.
    """

    num: int = field(default=1000, validator=at_least(2))
    held_out: Dataset | None = None
    radius: int = field(default=RADIUS, validator=at_least(0))
    nearest: int = field(default=7, validator=at_least(1))
    rows: int = field(default=10, validator=at_least(1))
    coder: str | None = None
    coder_samples: int | None = field(default=None, validator=optional(at_least(1)))
    seed: int = field(default=0, validator=not_negative)

    def __attrs_post_init__(self) -> None:
        if self.radius > MAX_RADIUS:
            raise UserError(f"radius is {self.radius}: expected 0 to {MAX_RADIUS} of {BITS} bits.")

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for held-out data of another shape, and a coder that is no run."""
        check_data(recipe, self.held_out)
        if self.coder is not None:
            RunDir.there(self.coder)

    def real_examples(self) -> int:
        """`num`, unless fresh ones are of held-out data."""
        return self.num if self.held_out is None else 0

    def evaluate(self, model: Model) -> Result:
        """Code everything, look for the nearest, compare. Raises UserError for what is no picture of 32x32 or more."""
        store = model.store()
        check(store, self.radius)
        if self.nearest >= len(store):
            raise UserError(f"nearest is {self.nearest} of {len(store)} training pictures: expected fewer.")
        if self.held_out is None and self.num > len(store):
            raise UserError(f"num is {self.num:,} and there are {len(store):,} training pictures: set num to at most that.")
        samples = model.sample(self.num, self.seed)
        coder = self._coder(model, store)
        training = codes_of(coder, store, _shows())
        near = _nearest(_codes(coder, samples), training, self.nearest)
        fresh, fresh_near = self._fresh(model, coder, training)
        closest, fresh_closest = near.distances[:, 0], fresh_near.distances[:, 0]
        return Result(
            numbers={
                "nearer": nearer(closest, fresh_closest),
                "median": float(np.median(closest)),
                "least": float(closest.min()),
                "duplicates": float((closest <= self.radius).mean()),
                "fresh_median": float(np.median(fresh_closest)),
                "fresh_least": float(fresh_closest.min()),
                "fresh_duplicates": float((fresh_closest <= self.radius).mean()),
            },
            protocol={
                "samples": self.num,
                "training_pictures": len(store),
                "data": store.manifest.content,
                "fresh": "held-out data" if self.held_out else "training pictures, each compared with the others",
                "code": f"{BITS} bits of dcgan-dedup",
                "coder": coder.identity | {"trained_on": Path(getattr(coder.recipe.data, "path", None) or "").name},
                "radius": self.radius,
                "standard_error_of_nearer": (((2 * self.num + 1) / (12 * self.num**2)) ** 0.5),
                "seed": self.seed,
            },
            pictures={
                "nearest": self._picture(model, samples, near, store, "samples"),
                "fresh": self._picture(model, fresh, fresh_near, store, "fresh real pictures"),
            },
            plots={"distances": self._plot(closest, fresh_closest)},
            details={"nearest": near.table(self.rows)},
        )

    def _fresh(self, model: Model, coder: Model, training: Codes) -> tuple[torch.Tensor, _Near]:
        """Real pictures, and what is nearest to them; to a training picture, what is nearest besides itself."""
        if self.held_out is not None:
            x = model.real(self.num, self.seed, self.held_out)["x"]
            return x, _nearest(_codes(coder, x), training, self.nearest)
        store = model.store()
        rows = np.random.Generator(np.random.PCG64(self.seed)).permutation(len(store))[: self.num]
        return _pictures(store, rows), _nearest(training[rows], training, self.nearest, rows)

    def _coder(self, model: Model, store: Store) -> Model:
        """The autoencoder: the run that is named, one that is there, or a new one."""
        device = str(model.device)
        if self.coder is not None:
            coder = load(self.coder, device=device)
            provides = coder.recipe.data.provides()
            if not hasattr(coder.recipe.game, "code") or provides["x"].shape[0] != store.fields["x"].shape[0]:
                raise UserError(
                    f"{self.coder} is no run of dcgan-dedup on pictures with as many channels as {store.path.name} has."
                )
            return coder
        recipe = recipe_for(store, self.coder_samples)
        name = store.path.resolve().name
        own = data_home() / "learned" / f"dedup-{name}-{store.manifest.content[:12]}-{recipe.samples}"
        for there in (Path("runs") / f"dedup-{name}", own):
            if _is_finished(there, recipe):
                return load(there, device=device)
        with locked(own, _shows()):
            return kept(recipe, own, whole=False, device=device, progress=_shows())

    def _picture(self, model: Model, x: torch.Tensor, near: _Near, store: Store, what: str) -> Picture:
        """Rows of a picture, a gap and its nearest training pictures; the nearest rows first."""
        cells = []
        for row in near.order()[: self.rows]:
            found = _pictures(store, near.places[row])
            cells += [x[row : row + 1], torch.ones_like(found[:1]), found]
        caption = f"The {self.rows} of {len(x):,} {what} nearest to the training data; right of the gap, what they are near to."
        return Picture(torch.cat(cells), self.nearest + 2, caption)

    def _plot(self, closest: np.ndarray, fresh: np.ndarray) -> str:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 3))
        axes = figure.subplots()
        bins = [bits - 0.5 for bits in range(max(int(closest.max()), int(fresh.max()), self.radius) + 2)]
        axes.hist(fresh, bins, alpha=0.6, color="#888888", label="fresh real pictures")
        axes.hist(closest, bins, alpha=0.6, color="#4477aa", label="samples")
        axes.axvline(self.radius + 0.5, color="#ee6677", linestyle="--", linewidth=1, label="near-duplicates")
        axes.set(xlabel=f"bits of {BITS} to the nearest training picture", ylabel="pictures")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        return svg(figure)


@frozen(eq=False)
class _Near:
    """What is nearest to each of N codes: `distances` uint8 (N, k) in bits, rising; `places` (N, k) in the training data."""

    distances: np.ndarray
    places: np.ndarray

    def order(self) -> np.ndarray:
        """The N, nearest first."""
        return np.argsort(self.distances[:, 0], kind="stable")

    def table(self, num: int) -> list[dict[str, Any]]:
        """The first `num` in this order."""
        return [
            {"sample": int(row), "training": self.places[row].tolist(), "bits": self.distances[row].tolist()}
            for row in self.order()[:num]
        ]


def _nearest(codes: Codes, training: Codes, num: int, themselves: np.ndarray | None = None) -> _Near:
    """The `num` training codes nearest to each code; `themselves` are places that do not count, one for each."""
    distances, places = [], []
    for i, code in enumerate(tqdm(codes, desc="Comparing", unit=" pictures", leave=False, disable=None)):
        bits = distance(training, code)
        if themselves is not None:
            bits[themselves[i]] = FAR
        order = np.argsort(bits, kind="stable")[:num]
        places.append(order)
        distances.append(bits[order])
    return _Near(np.stack(distances), np.stack(places))


def nearer(closest: np.ndarray, fresh: np.ndarray) -> float:
    """P(a sample's distance < a fresh picture's) + P(equal) / 2: Mann & Whitney's U over the number of pairs."""
    counts = np.bincount(fresh, minlength=FAR + 1)
    beyond = counts.sum() - np.cumsum(counts)
    return float((beyond[closest] + counts[closest] / 2).mean() / len(fresh))


@torch.no_grad()
def _codes(coder: Model, x: torch.Tensor) -> Codes:
    """Codes uint64 (N, 2) of pictures (N, C, H, W), rounded to bytes as those in a store are."""
    game = coder.recipe.game
    assert hasattr(game, "code")  # `Memorise._coder` asked for it
    found = []
    for start in range(0, len(x), AT_ONCE):
        seen = to_bytes(x[start : start + AT_ONCE]).float().div_(127.5).sub_(1.0).to(coder.device)
        found.append(packed_codes((game.code(coder.nets, seen) > 0).cpu().numpy()))
    return np.concatenate(found)


def _pictures(store: Store, places: np.ndarray) -> torch.Tensor:
    """x (N, C, H, W) in [-1, 1]."""
    return as_input(store.fields["x"], store.gather(places, ["x"])["x"])


def _is_finished(folder: Path, recipe: Recipe) -> bool:
    """Whether a run of this recipe, of whatever length, has come to its end there."""
    try:
        there = read_toml(RunDir(folder).recipe_file)
        return (
            to_table(evolve(there, samples=recipe.samples)) == to_table(recipe)
            and load(folder, device="cpu").samples >= there.samples
        )
    except (OSError, GanskitError):
        return False


def _shows() -> bool:
    """Whether somebody looks at progress; what is no terminal gets no lines between an evaluation's numbers."""
    return sys.stderr.isatty()
