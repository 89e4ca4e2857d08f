"""What a discriminator's units look for: guided backpropagation from their strongest responses, fig. 5.

Radford 2016, section 6.2: "Using guided backpropagation as proposed by (Springenberg et al., 2014), we show in Fig.5 that the
features learnt by the discriminator activate on typical parts of a bedroom, like beds and windows. For comparison, in the same
figure, we give a baseline for randomly initialized features that are not activated on anything that is semantically relevant or
interesting."
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from attrs import field, frozen
from torch import nn
from torch.overrides import TorchFunctionMode
from tqdm import tqdm

from ganskit import Evaluator, Model, Picture, Recipe, Result, UserError
from ganskit.errors import nearest
from ganskit.evaluate.features import activations
from ganskit.evaluate.judging import judge, looks, untrained
from ganskit.evaluate.required import check_nets, picture_shape
from ganskit.validators import at_least, not_negative, one_of

RECTIFIERS = frozenset(
    {"relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish", "threshold"}
)
"""torch's names of activations that let through what is above zero; the same ones work in place with an underscore."""
DISPLAY = 64
"""Patches are shown at about so many pixels, each pixel as a square."""


class Guided(TorchFunctionMode):
    """Gradients in here pass a rectifier only where its input and the gradient are both above zero.

    Springenberg 2014, section 3.4: "rather than masking out values corresponding to negative entries of the top gradient
    ('deconvnet') or bottom data (backpropagation), we mask out the values for which at least one of these values is
    negative". That is for ReLU. The DCGAN paper does not say what it does for the discriminator's LeakyReLU, and its authors
    published no code of it. Here it is treated as a ReLU on the way back: its negative side passes nothing.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's
        kwargs = kwargs or {}
        if str(getattr(func, "__name__", "")).rstrip("_") not in RECTIFIERS:
            return func(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        above = x.detach() > 0  # before the call, which may work in place
        out = func(*args, **kwargs)
        if out.requires_grad:
            out.register_hook(lambda gradient: gradient.clamp(min=0) * above)
        return out


@frozen(kw_only=True)
class GuidedBackprop(Evaluator):
    """Radford 2016, fig. 5: "guided backpropagation visualizations of maximal axis-aligned responses for the first 6 learned
    convolutional features from the last convolution layer in the discriminator [...] On the left is a random filter baseline."

    Of `num` real pictures, each unit's `top` strongest responses are found, at most one in each picture, and propagated back to
    the pixels, for `net` as trained and for one with fresh weights (drawn with `seed`). Both have their batch-norm statistics
    averaged over real data. `layer` None is the last convolution with a map of more than one position. `units` is how many
    are shown: those with the "strongest" responses (the mean of the `top`), or the "first" ones, as in the paper.
    """

    layer: str | None = None
    units: int = field(default=6, validator=at_least(1))
    pick: str = field(default="strongest", validator=one_of("strongest", "first"))
    top: int = field(default=8, validator=at_least(1))
    num: int = field(default=2000, validator=at_least(2))
    net: str = "D"
    seed: int = field(default=0, validator=not_negative)

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for data that are no pictures, fewer of them than responses, and a net that is not there."""
        if self.top > self.num:
            raise UserError(f"top is {self.top} of num = {self.num} pictures: expected at most as many.")
        picture_shape(recipe)
        check_nets(recipe, self.net)

    def real_examples(self) -> int:
        """`num`."""
        return self.num

    def evaluate(self, model: Model) -> Result:
        """Look, go back, compare. Raises UserError for a net that cannot be shown pictures, or without such a layer."""
        x = model.real(self.num, self.seed)["x"]
        trained = judge(model, self.net, x)
        layer = self._layer(trained, x[:2].to(model.device))
        fresh = untrained(model, self.seed)
        views = {"random": self._seen(fresh.frozen(self.net), layer, x, model.device)}
        views["trained"] = self._seen(trained, layer, x, model.device)
        size = max(view.size for view in views.values())
        return Result(
            numbers={f"{name}_{key}": value for name in ("trained", "random") for key, value in views[name].numbers().items()},
            protocol={
                "net": self.net,
                "layer": layer,
                "pictures": self.num,
                "rule": "Springenberg 2014; what a rectifier got must be above zero, and so must the gradient that comes back",
                "units": self.pick,
                "random": f"fresh weights, seed {fresh.recipe.seed}; batch-norm statistics averaged over the same data",
                "seed": self.seed,
            },
            pictures={
                "guided": self._picture([view.guided(size) for view in views.values()], layer, "what excites them, guided back"),
                "patches": self._picture([view.patches(size) for view in views.values()], layer, "the patches that excite them"),
            },
            details={name: view.table() for name, view in views.items()},
        )

    def _layer(self, net: nn.Module, x: torch.Tensor) -> str:
        maps = {name: h.shape for name, h in activations(net, x).items()}
        if self.layer is not None and self.layer not in maps:
            raise UserError(f'The net "{self.net}" has no layer "{self.layer}". {nearest(self.layer, maps)}')
        wide = [name for name, shape in maps.items() if shape[2] * shape[3] > 1]
        return self.layer or (wide or list(maps))[-1]

    def _seen(self, net: nn.Module, layer: str, x: torch.Tensor, device: torch.device) -> _View:
        """What a net's units respond to among x."""
        found = []
        with tqdm(total=len(x), desc="Looking", unit=" pictures", leave=False, disable=None) as bar:
            for maps in looks(net, x, device):
                found.append(maps[layer].float().flatten(2).max(2))
                bar.update(len(found[-1].values))
        strength, place = (torch.cat(each).cpu() for each in zip(*found, strict=True))  # (N, units), (N, units)
        order = strength.sort(dim=0, descending=True, stable=True)
        responses, images = order.values[: self.top].T, order.indices[: self.top].T  # (units, top)
        chosen = torch.arange(strength.shape[1])
        if self.pick == "strongest":
            chosen = responses.mean(1).sort(descending=True, stable=True).indices
        view = _View(net, layer, strength, chosen[: self.units], responses)
        for unit in tqdm(view.units.tolist(), desc="Going back", unit=" units", leave=False, disable=None):
            view.add(x[images[unit]], place[images[unit], unit], unit, images[unit], device)
        return view

    def _picture(self, halves: list[list[torch.Tensor]], layer: str, what: str) -> Picture:
        """A row for each unit: of the random net on the left, of the trained one on the right of a gap, as in the paper."""
        rows = []
        for left, right in zip(*halves, strict=True):
            gap = torch.ones_like(left[:1])
            rows += [left, gap, right]
        x = torch.cat(rows)
        scale = max(1, DISPLAY // x.shape[2])
        caption = f"Radford 2016, fig. 5: {self.pick} units of {layer} ({what}); left with random weights, right as trained."
        return Picture(F.interpolate(x, scale_factor=scale, mode="nearest"), 2 * self.top + 1, caption)


class _View:
    """What the chosen units of one net respond to: pictures (top, C, H, W), and their gradients, by unit."""

    def __init__(self, net: nn.Module, layer: str, strength: torch.Tensor, units: torch.Tensor, responses: torch.Tensor) -> None:
        self.net, self.layer, self.strength, self.units, self.responses = net, layer, strength, units, responses
        self.x: list[torch.Tensor] = []
        self.gradients: list[torch.Tensor] = []
        self.boxes: list[torch.Tensor] = []
        self.images: list[list[int]] = []

    @property
    def size(self) -> int:
        """The side of the largest receptive field, and so of all patches."""
        return int(max((boxes[:, 1::2] - boxes[:, ::2]).max() for boxes in self.boxes))

    def add(self, x: torch.Tensor, place: torch.Tensor, unit: int, images: torch.Tensor, device: torch.device) -> None:
        """Go back from a unit's responses at `place` (top,), counted along the rows of its maps."""
        x, place = x.to(device), place.to(device)
        self.x.append(x.cpu())
        self.gradients.append(self._back(x, place, unit, guided=True))
        self.boxes.append(torch.stack([_box(each) for each in self._back(x, place, unit, guided=False)]))
        self.images.append(images.tolist())

    def _back(self, x: torch.Tensor, place: torch.Tensor, unit: int, guided: bool) -> torch.Tensor:
        with torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            if guided:
                with Guided():
                    h = activations(self.net, x)[self.layer]
            else:
                h = activations(self.net, x)[self.layer]
            response = h[:, unit].flatten(1).gather(1, place[:, None]).sum()
            (gradient,) = torch.autograd.grad(response, x)
        return gradient.float().cpu()

    def patches(self, size: int) -> list[torch.Tensor]:
        """Each unit's strongest patches (top, C, size, size)."""
        return [_cut(x, boxes, size) for x, boxes in zip(self.x, self.boxes, strict=True)]

    def guided(self, size: int) -> list[torch.Tensor]:
        """The gradients of the same patches, each divided by its largest value: grey is zero."""
        cut = [_cut(gradient, boxes, size) for gradient, boxes in zip(self.gradients, self.boxes, strict=True)]
        return [each / each.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-20) for each in cut]

    def numbers(self) -> dict[str, float]:
        """Of the guided gradients' energy over pixels: its share in the top tenth, and its entropy (1: everywhere alike).

        Selectivity is the mean over all units of the layer.
        """
        energy = torch.cat(self.gradients).pow(2).sum(1).flatten(1).double()
        energy = energy[energy.sum(1) > 0]
        share = energy / energy.sum(1, keepdim=True)
        tenth = max(1, round(0.1 * share.shape[1]))
        entropy = -(share * share.clamp(min=1e-300).log()).sum(1) / torch.tensor(share.shape[1]).log()
        return {
            "top_tenth": float(share.sort(dim=1, descending=True).values[:, :tenth].sum(1).mean()) if len(share) else 0.0,
            "entropy": float(entropy.mean()) if len(share) else 1.0,
            "selectivity": float(selectivity(self.strength).mean()),
        }

    def table(self) -> list[dict[str, Any]]:
        """For each unit shown: its strongest responses and the pictures, by their place in `model.real(num, seed)`."""
        every = selectivity(self.strength)
        return [
            {
                "unit": unit,
                "pictures": images,
                "responses": [round(value, 4) for value in self.responses[unit].tolist()],
                "selectivity": round(float(every[unit]), 4),
            }
            for unit, images in zip(self.units.tolist(), self.images, strict=True)
        ]


def selectivity(responses: torch.Tensor) -> torch.Tensor:
    """Responses (N, units) -> (units,), 0 for a unit that responds alike to all N, 1 for one that responds to a single one.

    Vinje & Gallant 2000, (1 - mean(r)^2 / mean(r^2)) / (1 - 1 / N), of the responses r above zero; 0 for a unit without any.
    """
    r = responses.double().clamp(min=0)
    square = r.pow(2).mean(0)
    ratio = torch.where(square > 0, r.mean(0).pow(2) / square.clamp(min=1e-300), 1.0)
    return (1 - ratio) / (1 - 1 / len(r))


def _box(gradient: torch.Tensor) -> torch.Tensor:
    """Top, bottom, left, right of what a gradient (C, H, W) reaches: the receptive field. All of it if it reaches nothing."""
    reached = gradient.abs().sum(0) > 0
    if not reached.any():
        reached = torch.ones_like(reached)
    rows, columns = reached.any(1).nonzero()[:, 0], reached.any(0).nonzero()[:, 0]
    return torch.stack([rows[0], rows[-1] + 1, columns[0], columns[-1] + 1])


def _cut(x: torch.Tensor, boxes: torch.Tensor, size: int) -> torch.Tensor:
    """Squares (N, C, size, size) of x (N, C, H, W) around the boxes, moved where they would reach over the picture's edge."""
    height, width = x.shape[2:]
    tall, wide = min(size, height), min(size, width)
    cut = []
    for each, (top, bottom, left, right) in zip(x, boxes.tolist(), strict=True):
        y = min(max(0, (top + bottom - tall) // 2), height - tall)
        z = min(max(0, (left + right - wide) // 2), width - wide)
        cut.append(each[:, y : y + tall, z : z + wide])
    return torch.stack(cut)
