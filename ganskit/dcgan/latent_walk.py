"""Walking in the latent space: the pictures of fig. 4, and how smooth the walk is in numbers.

Radford 2016, section 6.1: "Walking on the manifold that is learnt can usually tell us about signs of memorization (if there are
sharp transitions) and about the way in which the space is hierarchically collapsed."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from attrs import field, frozen
from torch.nn.functional import normalize
from tqdm import tqdm

from ganskit import Evaluator, Model, Picture, Recipe, Result, UserError
from ganskit.evaluate.features import activations
from ganskit.evaluate.judging import AT_ONCE, batches, judge
from ganskit.evaluate.plots import svg
from ganskit.evaluate.required import check_nets
from ganskit.validators import at_least, not_negative, one_of, positive

FEATURES = "post-activations, unit-normalised over their channels (Zhang 2018, eq. 1), of all convolutions of"
MOST_PICTURES = 10_000_000
MOST_HALVINGS = 20
"""Hours of work."""
Embedding = Callable[[torch.Tensor], torch.Tensor]


@frozen(kw_only=True)
class LatentWalk(Evaluator):
    """Radford 2016, section 6.1, fig. 4: "Interpolation between a series of 9 random points in Z".

    Each of `rows` walks passes `points` random z and makes `steps` equal steps from one to the next; `shown` pictures of
    each such stretch are in the picture. The length of a step is the distance between its two pictures in a perceptual `space`,
    divided by the median distance between the pictures of neighbouring points, which have nothing to do with each other. So
    1 is a wholly other picture, and a straight, steady walk makes steps of 1 / `steps`.

    A step longer than `sharp` is suspect. It is halved `halvings` times, each time going on with the longer half. If what is
    left is still longer than `sharp`, it is a sharp transition: with the defaults, 1/256 of the way between two random
    points then changes the picture half as much as a wholly new z would. Halving tells a jump, which stays as it is, from a steep
    slope, which shrinks: a memoriser jumps from one stored picture to another, and a net that has learned is continuous.

    `space` is "features" (of `net`, batch-norm statistics frozen) or "pixels"; `path` is "linear", or "slerp" for normal noise.
    `label` is for games with labels; None is 0. Samples that are no pictures have numbers only.
    """

    rows: int = field(default=10, validator=at_least(1))
    points: int = field(default=9, validator=at_least(2))
    steps: int = field(default=16, validator=at_least(2))
    shown: int = field(default=2, validator=at_least(1))
    path: str = field(default="linear", validator=one_of("linear", "slerp"))
    space: str = field(default="features", validator=one_of("features", "pixels"))
    net: str = "D"
    sharp: float = field(default=0.5, validator=positive)
    halvings: int = field(default=4, validator=at_least(0))
    label: int | None = None
    seed: int = field(default=0, validator=not_negative)

    def __attrs_post_init__(self) -> None:
        if self.steps % self.shown:
            raise UserError(f"shown is {self.shown}: expected a divisor of steps, {self.steps}, such as {_divisor(self.steps)}.")
        if self.halvings > MOST_HALVINGS:
            raise UserError(f"halvings is {self.halvings:,}: expected {MOST_HALVINGS} at most; single precision has no more.")
        if (pictures := self.rows * self.points * self.steps) > MOST_PICTURES:
            raise UserError(
                f"rows x points x steps are {pictures:,} pictures: expected {MOST_PICTURES:,} at most. Set one of them lower."
            )

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for samples of more than noise, a path that is not for that noise, and a net that is not there."""
        game = recipe.game
        if not game.noises() or set(game.conditions()) - {"y"}:
            raise UserError(f'"{recipe.name}" does not make its samples from noise alone: there is no latent space to walk in.')
        priors = [noise.prior for noise in game.noises().values()]
        if self.path == "slerp" and set(priors) != {"normal"}:
            raise UserError(
                f'"{recipe.name}" has {", ".join(priors)} noise: path "slerp" is for normal noise, which lies near a sphere. '
                'Use "linear".'
            )
        if self.space == "features":
            check_nets(recipe, self.net)

    def evaluate(self, model: Model) -> Result:
        """Walk, measure every step, draw. Raises UserError for a net that cannot be shown samples."""
        label = (self.label or 0) if "y" in model.recipe.game.conditions() else self.label
        drawn = model.z(self.rows * self.points, self.seed)
        z = {name: each.reshape(self.rows, self.points, *each.shape[1:]) for name, each in drawn.items()}
        embed = self._embedding(model, model.from_z({name: rows[0] for name, rows in z.items()}, self.seed, label))
        pictures, steps, apart = [], [], []
        for row in tqdm(range(self.rows), desc="Walking", unit=" rows", disable=None):
            x = model.from_z({name: self._walk(rows[row]) for name, rows in z.items()}, self.seed, label)
            each_step, each_apart = distances(embed, x, self.steps)
            steps.append(each_step)
            apart.append(each_apart)
            pictures.append(x[:: self.steps // self.shown])
        unrelated = torch.cat(apart).median()
        if not unrelated > 0:
            raise UserError(f'The samples of "{model.recipe.name}" are all the same: there is nothing to walk between.')
        lengths = torch.stack(steps) / unrelated
        suspects = (lengths > self.sharp).nonzero()
        halved = self._halved(model, embed, z, suspects, label) / unrelated if len(suspects) else torch.zeros(0)
        sharp = suspects[halved > self.sharp]
        x = torch.cat(pictures)
        walk = Picture(x, (self.points - 1) * self.shown + 1, self._caption(len(sharp)))
        return Result(
            numbers=self._numbers(lengths, sharp),
            protocol=self._protocol(model),
            pictures={"walk": walk} if x.ndim == 4 and x.shape[1] in (1, 3) else {},
            plots={"steps": self._plot(lengths, sharp)},
            details={
                "unit_in_space": float(unrelated),
                "suspects": _table(suspects, lengths[*suspects.T], halved),
                "steps": [[round(each, 5) for each in row] for row in lengths.tolist()],
            },
        )

    def _walk(self, points: torch.Tensor) -> torch.Tensor:
        """z of the points (P, ...) -> z along the walk ((P - 1) * steps + 1, ...)."""
        t = (torch.arange(self.steps) / self.steps).view(1, -1, *(1,) * (points.ndim - 1))
        between = slerp if self.path == "slerp" else torch.lerp
        return torch.cat([between(points[:-1, None], points[1:, None], t).flatten(0, 1), points[-1:]])

    def _embedding(self, model: Model, x: torch.Tensor) -> Embedding:
        """x (N, ...) -> (N, F), in which distances are measured."""
        if self.space == "pixels":
            return lambda x: x.flatten(1) / x[0].numel() ** 0.5
        try:
            net = judge(model, self.net, x)
        except UserError as error:
            raise UserError(f"{error}\nOr measure in pixels: --set space=pixels.") from error
        return lambda x: perceptual(activations(net, x.to(model.device))).cpu()

    @torch.no_grad()
    def _halved(
        self, model: Model, embed: Embedding, z: Mapping[str, torch.Tensor], suspects: torch.Tensor, label: int | None
    ) -> torch.Tensor:
        """The longest piece (S,) that halving finds in each of the steps at `suspects` (S, 2), which are rows and steps."""
        ends = {name: torch.stack([self._walk(rows[row])[step : step + 2] for row, step in suspects]) for name, rows in z.items()}
        for halving in range(self.halvings + 1):
            three = {name: torch.stack([each[:, 0], each.mean(1), each[:, 1]], 1) for name, each in ends.items()}
            x = model.from_z({name: each.flatten(0, 1) for name, each in three.items()}, self.seed, label)
            e = torch.cat([embed(batch) for batch in batches(x)])
            e = e.reshape(-1, 3, e.shape[1])
            longer = ((e[:, 2] - e[:, 1]).norm(dim=1) > (e[:, 1] - e[:, 0]).norm(dim=1)).long()  # 0 the first half, 1 the second
            if halving == self.halvings:
                break
            half = torch.stack([longer, longer + 1], 1)
            ends = {name: torch.stack([r[h] for r, h in zip(each, half, strict=True)]) for name, each in three.items()}
        pieces: torch.Tensor = (e[:, 2] - e[:, 0]).norm(dim=1)
        return pieces

    def _numbers(self, lengths: torch.Tensor, sharp: torch.Tensor) -> dict[str, float]:
        stretches = lengths.reshape(self.rows, self.points - 1, self.steps)
        with_one = {(row, step // self.steps) for row, step in sharp.tolist()}
        return {
            "sharp_transitions": float(len(sharp)),
            "sharp_stretches": len(with_one) / (self.rows * (self.points - 1)),
            "largest_step": float(lengths.max()),
            "median_step": float(lengths.median()),
            "largest_over_median": float(lengths.max() / lengths.median()),
            "way": float(stretches.sum(2).median()),
        }

    def _protocol(self, model: Model) -> dict[str, Any]:
        game = model.recipe.game
        return {
            "prior": {name: f"{noise.prior} {noise.shape}" for name, noise in game.noises().items()},
            "path": self.path,
            "space": f"{FEATURES} {self.net}" if self.space == "features" else "pixels, root mean square",
            "batch_norm": "statistics averaged over 50 batches of 128",
            "unit": "median distance between the pictures of neighbouring random points",
            "sharp": f"longer than {self.sharp} units, at {self.steps} steps between random points, halved {self.halvings} times",
            "label": (self.label or 0) if "y" in game.conditions() else None,
            "seed": self.seed,
        }

    def _caption(self, num_sharp: int) -> str:
        return (
            f"Radford 2016, fig. 4: {self.rows} walks between {self.points} random points each (every {_nth(self.shown)}picture "
            f"is one). Sharp transitions: {num_sharp}."
        )

    def _plot(self, lengths: torch.Tensor, sharp: torch.Tensor) -> str:
        """The steps of each walk over the way, one below the other as in the picture; sharp ones are marked."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 0.8 + 0.45 * self.rows))
        top = max(1.1 * self.sharp, 1.05 * float(lengths.max()))
        way = (torch.arange(lengths.shape[1]) + 0.5) / self.steps
        for row, axes in enumerate(figure.subplots(self.rows, 1, sharex=True, squeeze=False)[:, 0]):
            axes.plot(way, lengths[row], color="#4477aa", linewidth=1)
            marked = sharp[sharp[:, 0] == row, 1]
            axes.plot(way[marked], lengths[row][marked], "o", color="#ee6677", markersize=3)
            axes.axhline(self.sharp, color="#ee6677", linewidth=0.6, linestyle="--")
            axes.set(xlim=(0, self.points - 1), ylim=(0, top), xticks=range(self.points), yticks=[])
            axes.set_ylabel(row + 1, rotation=0, va="center", labelpad=10)
            axes.grid(axis="x", color="#888888", alpha=0.4)
            axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel(f"random points; dashed: {self.sharp:g} of the distance between unrelated samples")
        figure.suptitle("Length of each step")
        return svg(figure)


@torch.no_grad()
def distances(embed: Embedding, x: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Of pictures x along a walk: the length of each step, and the distance from every `steps`-th picture to the next one."""
    lengths, marks, before = [], [], x.new_zeros(0)
    for start in range(0, len(x), AT_ONCE):
        here = embed(x[start : start + AT_ONCE])
        joined = torch.cat([before, here]) if len(before) else here
        lengths.append((joined[1:] - joined[:-1]).norm(dim=1))
        before = here[-1:]
        marks += [here[i - start] for i in range(start, start + len(here)) if i % steps == 0]
    points = torch.stack(marks)
    return torch.cat(lengths), (points[1:] - points[:-1]).norm(dim=1)


def perceptual(maps: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Maps (N, C, H, W) by layer -> (N, F), whose squared distances are those of Zhang 2018, eq. 1.

    There: the channels of each position unit-normalised, squared differences averaged over positions. The layers are averaged,
    too, all with the same weight.
    """
    parts = []
    for h in maps.values():
        unit = normalize(h.float(), dim=1)
        parts.append(unit.flatten(1) / (h.shape[2] * h.shape[3] * len(maps)) ** 0.5)
    return torch.cat(parts, 1)


def slerp(a: torch.Tensor, b: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """White 2016, "Sampling generative networks": sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, w the angle from a to b."""
    unit_a, unit_b = normalize(a, dim=-1), normalize(b, dim=-1)
    w = (unit_a * unit_b).sum(-1, keepdim=True).clamp(-1, 1).arccos()
    curved = (torch.sin((1 - t) * w) * a + torch.sin(t * w) * b) / w.sin().clamp(min=1e-6)
    return torch.where(w.sin() < 1e-4, torch.lerp(a, b, t), curved)  # where the points lie on a line with zero


def _table(suspects: torch.Tensor, lengths: torch.Tensor, halved: torch.Tensor) -> list[dict[str, Any]]:
    """One line for each suspect step, all counted from 0."""
    return [
        {"row": row, "step": step, "length": round(float(length), 4), "halved": round(float(piece), 4)}
        for (row, step), length, piece in zip(suspects.tolist(), lengths, halved, strict=True)
    ]


def _divisor(steps: int) -> int:
    return next(each for each in (2, 3, 1) if steps % each == 0)


def _nth(number: int) -> str:
    return {1: "", 2: "other ", 3: "third "}.get(number, f"{number}th ")
