"""The objectives and penalties against values worked out by hand."""

from __future__ import annotations

import pytest
import torch
from ganskit_stabilizers.losses import Hinge, Wasserstein
from ganskit_stabilizers.penalties import R1, GradientPenalty
from torch import nn

from ganskit import Batch, Nets, UserError

REAL = torch.tensor([[2.0], [0.5], [-1.0]])
FAKE = torch.tensor([[-3.0], [0.0], [1.0]])


def test_wasserstein_is_the_difference_of_the_means() -> None:
    assert Wasserstein().discriminator(REAL, FAKE)["distance"].item() == pytest.approx(-2 / 3 - 0.5)
    assert Wasserstein().generator(FAKE)["fake"].item() == pytest.approx(2 / 3)


def test_hinge_stops_at_the_margin() -> None:
    parts = Hinge().discriminator(REAL, FAKE)
    assert parts["real"].item() == pytest.approx((0 + 0.5 + 2) / 3)
    assert parts["fake"].item() == pytest.approx((0 + 1 + 2) / 3)
    assert Hinge().generator(FAKE)["fake"].item() == pytest.approx(2 / 3)


def test_hinge_has_no_gradient_beyond_the_margin() -> None:
    real = REAL.clone().requires_grad_()
    (grad,) = torch.autograd.grad(Hinge().discriminator(real, FAKE)["real"], real)
    assert grad.flatten().tolist() == pytest.approx([0, -1 / 3, -1 / 3])


@pytest.mark.parametrize("shape", [(2,), (3, 4, 4)])
def test_gradient_penalty_of_a_linear_critic(shape: tuple[int, ...]) -> None:
    """f(x) = <w, x> has gradient w everywhere: the penalty is weight * (|w| - 1)^2, and its gradient in closed form."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(shape).numel(), 1)).double()
    x, fake = torch.randn(5, *shape).double(), torch.randn(5, *shape).double()
    term = GradientPenalty(weight=7.0)("D", Nets({"D": critic}), Batch({"x": x}), critic, fake)
    assert term is not None
    w = critic[1].weight
    torch.testing.assert_close(term, 7 * (w.norm() - 1) ** 2)
    (grad,) = torch.autograd.grad(term, w)
    torch.testing.assert_close(grad, 14 * (w.norm() - 1) * w / w.norm())


def test_gradient_penalty_looks_between_the_pairs() -> None:
    """f(x) = x^2 / 2 has gradient x: with every pair at a and b the penalty's points lie between them, evenly."""
    a, b = torch.full((20_000, 1), 2.0), torch.full((20_000, 1), 4.0)
    seen: list[torch.Tensor] = []

    def judge(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x**2 / 2

    term = GradientPenalty(weight=1.0, target=0.0)("D", Nets(), Batch({"x": a}), judge, b)
    assert term is not None
    assert seen[0].min() >= 2
    assert seen[0].max() <= 4
    assert term.item() == pytest.approx((4**3 - 2**3) / 3 / 2, rel=0.01)  # the mean of x^2 over [2, 4]


def test_r1_is_half_gamma_times_the_squared_gradient_on_real_data() -> None:
    x = torch.randn(6, 3)
    term = R1(gamma=4.0)("D", Nets(), Batch({"x": x}), lambda x: (x**2 / 2).sum(1, keepdim=True), torch.zeros(6, 3))
    assert term is not None
    torch.testing.assert_close(term, 2 * (x**2).sum(1).mean())


@pytest.mark.parametrize("penalty", [GradientPenalty(), R1()])
def test_penalties_leave_g_alone(penalty: GradientPenalty | R1) -> None:
    assert penalty("G", Nets(), Batch({"x": REAL}), lambda x: x, FAKE) is None


def test_a_negative_weight_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"GradientPenalty\.weight is -1"):
        GradientPenalty(weight=-1.0)
