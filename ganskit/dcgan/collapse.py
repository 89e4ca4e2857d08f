"""Filters that collapsed: constant ones, ones that say the same as another, ones that oscillate at a single frequency.

Radford 2016, section 7: "There are still some forms of model instability remaining - we noticed as models are trained longer they
sometimes collapse a subset of filters to a single oscillating mode." The paper does not say how it noticed. The tests and
thresholds here are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from attrs import field, frozen
from torch import nn
from tqdm import tqdm

from ganskit import Evaluator, Model, Picture, Recipe, Result, UserError
from ganskit.dcgan.filters import Filters
from ganskit.evaluate.features import activations
from ganskit.evaluate.judging import AT_ONCE, judge, looks
from ganskit.evaluate.required import check_nets, picture_shape
from ganskit.validators import at_least, fraction, not_negative

SHOWN, TIMES, SIDE = 16, 8, 32
"""So many flagged filters are shown, of so many samples each, at about so many pixels."""

Maps = Mapping[str, torch.Tensor]


@frozen(kw_only=True)
class Collapse(Evaluator):
    """Radford 2016, section 7: filters that have collapsed, by convolution, over `num` samples.

    Looked at are all convolutions that samples are made with, and those of `judges`, which are shown real data (none: no data are
    needed). Of the post-activations h of a filter:

    - constant: over samples it varies less than `still` of what the median filter of its layer varies, or of what it varies
      itself over samples and positions. A dead filter is constant, and so is a pattern that is the same in every sample.
    - copy: its correlation with an earlier filter of its layer is beyond `alike`, or below its negative.
    - oscillating: more than `peak` of the power of its maps' variation, averaged over samples, is at one frequency (and its
      neighbours) of two periods or more across the map. Maps below 8x8 are too small to tell.

    The effective rank of a layer (Roy & Vetterli 2007) is exp of the entropy of the correlation matrix's eigenvalues: how many
    filters' worth of maps there are. `diversity` is the root mean square distance of two samples, per pixel.

    In a recipe's `evaluations`, with `every`, it watches a training.
    """

    num: int = field(default=512, validator=at_least(2))
    judges: tuple[str, ...] = ("D",)
    still: float = field(default=0.01, validator=fraction)
    alike: float = field(default=0.99, validator=fraction)
    peak: float = field(default=0.5, validator=fraction)
    seed: int = field(default=0, validator=not_negative)

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for judges that are not there, or that have no pictures to look at."""
        if self.judges:
            picture_shape(recipe)
        check_nets(recipe, *self.judges)

    def real_examples(self) -> int:
        """`num`, if anybody judges them."""
        return self.num if self.judges else 0

    def evaluate(self, model: Model) -> Result:
        """Look at every filter. Raises UserError when there is no convolution to look at."""
        for net in self.judges:
            model.check_net(net)
        real = model.real(self.num, self.seed)["x"] if self.judges else None
        made = _Made(model, self.seed)
        found: dict[str, Filters] = {}
        total, square, num = torch.zeros(1), 0.0, 0
        for x, maps in self._generating(made):
            _gather(found, maps)
            total, square, num = total + x.double().sum(0), square + float(x.double().square().sum()), num + len(x)
        numbers = {"diversity": _diversity(total, square, num)}
        if real is not None:
            numbers["diversity_real"] = _diversity(real.double().sum(0), float(real.double().square().sum()), len(real))
            self._judging(model, real, found)
        if not found:
            raise UserError(f'"{model.recipe.name}" makes its samples without 2-d convolutions: there are no filters to look at.')
        flags = {name: filters.flags(self.still, self.alike, self.peak) for name, filters in found.items()}
        count = sum(filters.num for filters in found.values())
        flagged = [(name, unit, why) for name, each in flags.items() for unit, why in sorted(each.items())]
        numbers |= {"collapsed": len(flagged) / count}
        numbers |= {kind: sum(kind in why for *_, why in flagged) / count for kind in ("constant", "copy", "oscillating")}
        numbers |= {"lowest_rank": min(filters.rank / filters.num for filters in found.values())}
        numbers |= {f"collapsed[{name}]": len(each) / found[name].num for name, each in flags.items()}
        table = [
            {
                "layer": name,
                "filters": filters.num,
                "map": list(filters.shape),
                "effective_rank": round(filters.rank, 2),
                "flagged": [{"filter": unit, **why} for unit, why in sorted(flags[name].items())],
            }
            for name, filters in found.items()
        ]
        return Result(
            numbers=numbers,
            protocol={
                "samples": num,
                "real": 0 if real is None else len(real),
                "constant": f"standard deviation over samples at most {self.still} of the layer's median or its own in all",
                "copy": f"correlation of {self.alike} or more with an earlier filter, of either sign",
                "oscillating": f"{self.peak} of the power at one frequency of 2 periods or more, maps of 8x8 or more",
                "seed": self.seed,
            },
            pictures=self._pictures(model, made, real, flagged),
            details={"layers": table},
        )

    def _generating(self, made: _Made) -> Iterator[tuple[torch.Tensor, Maps]]:
        for batch in tqdm(range(-(-self.num // AT_ONCE)), desc="Samples", unit=" batches", leave=False, disable=None):
            x, maps = made.batch(batch)
            left = self.num - AT_ONCE * batch
            yield x[:left], {name: h[:left] for name, h in maps.items()}

    def _judging(self, model: Model, real: torch.Tensor, found: dict[str, Filters]) -> None:
        for net in self.judges:
            frozen = judge(model, net, real)
            batches = looks(frozen, real, model.device)
            for maps in tqdm(batches, desc=net, total=-(-len(real) // AT_ONCE), unit=" batches", leave=False, disable=None):
                _gather(found, {f"{net}.{name}": h for name, h in maps.items()})

    def _pictures(
        self, model: Model, made: _Made, real: torch.Tensor | None, flagged: list[tuple[str, int, dict[str, Any]]]
    ) -> dict[str, Picture]:
        """A row of maps for each flagged filter, of the same samples; each map from its least (black) to its largest (white)."""
        if not flagged:
            return {}
        maps = dict(made.batch(0)[1])
        for net in self.judges:
            assert real is not None  # for nobody is shown nothing
            frozen = judge(model, net, real)
            maps |= {f"{net}.{name}": h for name, h in next(looks(frozen, real[:TIMES], model.device)).items()}
        rows, names = [], []
        for name, unit, why in flagged[:SHOWN]:
            h = maps[name][:TIMES, unit : unit + 1].float().cpu()
            low, high = h.amin((1, 2, 3), keepdim=True), h.amax((1, 2, 3), keepdim=True)
            h = 2 * (h - low) / (high - low).clamp(min=1e-12) - 1
            rows.append(F.interpolate(h, size=(2 * SIDE, 2 * SIDE), mode="nearest"))
            names.append(f"{name} {unit} ({', '.join(why)})")
        more = f", and {len(flagged) - SHOWN} more" if len(flagged) > SHOWN else ""
        return {
            "flagged": Picture(
                torch.cat(rows), len(rows[0]), f"Maps of filters that collapsed, by row: {'; '.join(names)}{more}."
            )
        }


class _Made(nn.Module):
    """Sampling as a net, so that every convolution in it is seen, whichever nets a game samples with."""

    def __init__(self, model: Model, seed: int) -> None:
        super().__init__()
        self.nets, self.seed = model.nets, seed
        self._model = model
        model.sample(1, seed)  # so that batch-norm statistics are averaged before anything is looked at
        self._x = torch.zeros(0)

    def forward(self, number: torch.Tensor) -> torch.Tensor:
        self._x = self._model.chunk(int(number), self.seed)
        return self._x

    def batch(self, number: int) -> tuple[torch.Tensor, Maps]:
        """Samples 64 * number and so on (64, ...), and the maps (64, C, H, W) that they were made with, by net and layer."""
        try:
            maps = activations(self, torch.tensor(number))
        except UserError:
            maps = {}
        return self._x, {name.removeprefix("nets."): h for name, h in maps.items()}


def _gather(found: dict[str, Filters], maps: Maps) -> None:
    for name, h in maps.items():
        found.setdefault(name, Filters(h.shape[1], tuple(h.shape[2:]))).add(h)


def _diversity(total: torch.Tensor, square: float, num: int) -> float:
    """sqrt(E[(x - y)^2]) of two different ones of `num` with this sum (...) and sum of squares, per value."""
    squared = 2 * (square / num - float((total / num).square().sum())) * num / (num - 1)
    return float((max(squared, 0.0) / total.numel()) ** 0.5)
