"""Differentiable augmentation: what each distortion does to a pixel, and to its gradient."""

from __future__ import annotations

import pytest
import torch
from ganskit_stabilizers.diff_augment import DiffAugment, color, cutout, translation

from ganskit import Batch, Nets, UserError

NOTHING = Nets(), Batch({})


def augmented(x: torch.Tensor, *policy: str) -> torch.Tensor:
    nets, b = NOTHING
    return DiffAugment(policy)(nets, x, b)


def pictures(n: int = 4, c: int = 3, h: int = 16, w: int = 16) -> torch.Tensor:
    return torch.rand(n, c, h, w) * 2 - 1


def test_no_policy_is_no_change() -> None:
    x = pictures()
    assert torch.equal(augmented(x), x)


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (5, 1, 16, 16), (2, 3, 9, 13), (3, 3, 64, 64)])
def test_shapes_stay(shape: tuple[int, ...]) -> None:
    assert augmented(torch.randn(shape), "color", "translation", "cutout").shape == shape


def test_the_same_seed_gives_the_same_view_and_pictures_differ() -> None:
    x = pictures(1).expand(6, -1, -1, -1)
    torch.manual_seed(3)
    first = augmented(x, "color", "translation", "cutout")
    second = augmented(x, "color", "translation", "cutout")
    torch.manual_seed(3)
    assert torch.equal(augmented(x, "color", "translation", "cutout"), first)
    assert not torch.equal(first, second)
    assert len({tuple(each.flatten().tolist()) for each in first}) == 6


def test_translation_moves_by_at_most_an_eighth_and_fills_with_zeros() -> None:
    """A picture of its own coordinates tells where every pixel came from."""
    h, w, n = 16, 24, 400
    rows, columns = torch.meshgrid(torch.arange(1.0, h + 1), torch.arange(1.0, w + 1), indexing="ij")
    moved = translation(torch.stack([rows, columns]).expand(n, -1, -1, -1))
    shifts = set()
    for each in moved:
        inside = each[0] > 0
        down, right = (each[0] - rows)[inside].unique(), (each[1] - columns)[inside].unique()
        assert len(down) == len(right) == 1  # all by the same
        dy, dx = int(down), int(right)
        assert inside.sum() == (h - abs(dy)) * (w - abs(dx))  # nothing else was lost
        shifts.add((dy, dx))
    assert {dy for dy, _ in shifts} == set(range(-2, 3))
    assert {dx for _, dx in shifts} == set(range(-3, 4))


@pytest.mark.parametrize("side", [8, 15, 16])
def test_cutout_hides_a_square_of_half_the_side_that_may_reach_outside(side: int) -> None:
    hidden = cutout(torch.ones(3000, 1, side, side))[:, 0] == 0
    heights, widths = hidden.any(2).sum(1), hidden.any(1).sum(1)
    assert torch.equal(hidden.sum((1, 2)), heights * widths)  # a rectangle
    assert heights.max() == widths.max() == round(side / 2)
    assert heights.min() <= round(side / 2) / 2 + 1
    often = hidden.float().mean(0)
    assert torch.allclose(often, often.flip(0, 1), atol=0.06)  # no side is favoured


def test_color_keeps_the_order_of_pixels_within_a_channel_but_for_the_factor() -> None:
    """Brightness, saturation and contrast are affine in each pixel: with one colour, only brightness is left."""
    grey = torch.full((2000, 3, 4, 4), 0.25)
    shift = (color(grey) - grey)[:, 0, 0, 0]
    torch.testing.assert_close(color(grey).std((1, 2, 3)), torch.zeros(2000), atol=1e-6, rtol=0)
    assert shift.min() > -0.5
    assert shift.max() < 0.5
    assert shift.mean().abs() < 0.03


def test_color_spreads_saturation_and_contrast_as_the_paper_says() -> None:
    red = torch.zeros(4000, 3, 2, 2)
    red[:, 0] = 0.5
    out = color(red)
    apart = (out[:, 0] - out[:, 1])[:, 0, 0] / 0.5  # saturation * contrast, in [0, 2] * [0.5, 1.5]
    assert 0 <= apart.min() < 0.05
    assert 2.5 < apart.max() <= 3
    light = torch.zeros(4000, 1, 2, 2)
    light[:, :, 0] = 0.5
    out = color(light)  # one channel has no saturation
    contrast = (out[:, 0, 0, 0] - out[:, 0, 1, 0]) / 0.5
    assert 0.5 <= contrast.min() < 0.52
    assert 1.48 < contrast.max() <= 1.5


@pytest.mark.parametrize("policy", ["color", "translation", "cutout"])
def test_gradients_are_those_of_the_picture_that_is_shown(policy: str) -> None:
    x = pictures(2, 2, 5, 4).double().requires_grad_()

    def view(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        return {"color": color, "translation": translation, "cutout": cutout}[policy](x)

    assert torch.autograd.gradcheck(view, x)
    assert torch.autograd.gradgradcheck(view, x)


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(UserError, match='no distortion "colour"'):
        DiffAugment(("colour",))
    with pytest.raises(UserError, match="is for pictures"):
        DiffAugment().shape((2,))
