"""Which feature maps of a generator draw an object: logistic regression on activations inside its boxes and outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from attrs import frozen

from ganskit import Model, UserError
from ganskit.dcgan.forget.boxes import Boxes, covered
from ganskit.errors import nearest
from ganskit.evaluate.features import activations, intervene

HELD_OUT = 5
"""One in so many of the samples with boxes is kept out, to say how accurate the regression is."""


START = 4
"""The side of the features that the paper's stack of convolutions starts from."""


def layer_sizes(model: Model, net: str) -> dict[str, int]:
    """The convolutions of the net that makes samples, in their order, and the side of their features.

    Raises UserError for a net that makes none, or has none.
    """
    given: list[tuple[object, ...]] = []
    handle = model.nets[net].register_forward_pre_hook(lambda _, args: given.append(args))
    try:
        model.sample(1)
    finally:
        handle.remove()
    if not given:
        others = ", ".join(name for name in model.nets if name != net)
        raise UserError(f'Samples of "{model.recipe.name}" are made without its net "{net}": set net to one of {others}.')
    try:
        with torch.no_grad():
            found = activations(model.nets[net], *given[-1])  # type: ignore[arg-type]  # what the net was called with
    except UserError as error:
        raise UserError(f'The net "{net}" of "{model.recipe.name}": {error}') from error
    return {name: min(h.shape[2:]) for name, h in found.items()}


def second_highest(sizes: dict[str, int]) -> str:
    """The first convolution whose features are larger than the 4x4 that the stack starts from: 512 maps, 8x8, in the paper's net.

    The paper does not say from which end it counts. We count from z, with what is "reshaped into a 4-dimensional tensor and used
    as the start of the convolution stack" (section 3; 1024 maps) as the highest. It dropped 200 maps, which is more than the last
    layer but one has (128). About half of the weights are positive wherever we look, so 512 maps are likelier than 256; and on
    rooms it is there that the object goes and the rest stays (docs/evaluators/forget.md).
    """
    return next((name for name, side in sizes.items() if side > START), next(iter(sizes)))


def chosen_layer(sizes: dict[str, int], layer: str) -> str:
    """`layer`, or without one the second-highest. Raises UserError."""
    if layer and layer not in sizes:
        raise UserError(f'There is no layer "{layer}" with a convolution. {nearest(layer, sizes)}')
    return layer or second_highest(sizes)


def responses(model: Model, net: str, layer: str, num: int, seed: int) -> torch.Tensor:
    """The layer's post-activations (num, K, h, w) in the making of these samples, float32 on the CPU."""
    seen: list[torch.Tensor] = []

    def keep(h: torch.Tensor) -> torch.Tensor:
        seen.append(h.detach().float().cpu().clone())
        return h

    with intervene(model.nets[net], layer, keep):
        model.from_z(model.z(num, seed), seed)
    return torch.cat(seen)[:num]


@contextmanager
def without(model: Model, net: str, layer: str, dropped: torch.Tensor) -> Iterator[None]:
    """In here the maps `dropped` (K,) bool are zero "from all spatial locations" (section 6.3.1), whatever the model makes."""

    def drop(h: torch.Tensor) -> torch.Tensor:
        return h.masked_fill(dropped.to(h.device)[:, None, None], 0)

    with intervene(model.nets[net], layer, drop):
        yield


@frozen(eq=False)
class Regression:
    """`weights` (K,) of the maps; `accuracy` on samples that were held out (None: there are too few)."""

    weights: torch.Tensor
    accuracy: float | None
    num_inside: int
    num_outside: int


def fitted(h: torch.Tensor, boxes: Boxes, picture: tuple[int, int], C: float, seed: int) -> Regression:
    """Logistic regression on activations h (N, K, h, w), with an intercept and an L2 penalty (`C` as in scikit-learn).

    Section 6.3.1: "activations inside the drawn bounding boxes are positives and random samples from the same images are
    negatives". As many of them as there are positives, from outside the boxes. Raises UserError if nothing is outside.
    """
    generator = torch.Generator().manual_seed(seed)
    maps = (h.shape[2], h.shape[3])
    labelled = [i for i in sorted(boxes) if len(boxes[i])]
    inside, outside = [], []
    for i in labelled:
        on = covered(boxes[i], picture, maps).flatten()
        positions = h[i].flatten(1).T
        off = (~on).nonzero().flatten()
        off = off[torch.randperm(len(off), generator=generator)[: int(on.sum())]]
        inside.append(positions[on])
        outside.append(positions[off])
    if not sum(map(len, outside)):
        raise UserError("The boxes cover all of their pictures: there is nothing outside to tell them from. Draw smaller ones.")
    from sklearn.linear_model import LogisticRegression  # a second to import

    last = len(labelled) // HELD_OUT
    accuracy = None
    if last:
        x, y = _examples(inside[last:], outside[last:])
        if 0 < y.sum() < len(y):
            model = LogisticRegression(C=C, max_iter=2000).fit(x, y)
            accuracy = float(model.score(*_examples(inside[:last], outside[:last])))
    model = LogisticRegression(C=C, max_iter=2000).fit(*_examples(inside, outside))
    weights = torch.from_numpy(model.coef_[0]).clone()
    return Regression(weights, accuracy, sum(map(len, inside)), sum(map(len, outside)))


def _examples(inside: list[torch.Tensor], outside: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.cat([*inside, *outside]).double()
    y = torch.zeros(len(x))
    y[: sum(map(len, inside))] = 1
    return x, y
