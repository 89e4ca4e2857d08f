"""Optimistic Adam against its equations, against Adam, and on the game where Adam goes round in circles."""

from __future__ import annotations

import math

import pytest
import torch
from ganskit_stabilizers.optimism import OptimisticAdam

from ganskit import Adam, Optimizer


def steps_by_hand(theta: float, gradients: list[float], eta: float, beta1: float, beta2: float, eps: float) -> list[float]:
    """Daskalakis 2018, algorithm 1, one line after the other."""
    m = v = past = 0.0
    thetas = []
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        now = m_hat / (math.sqrt(v_hat) + eps)
        theta = theta - 2 * eta * now + eta * past
        past = now
        thetas.append(theta)
    return thetas


def test_it_is_algorithm_1() -> None:
    gradients = [0.3, -1.2, 0.05, 2.0, -0.7]
    theta = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    optimizer = OptimisticAdam(lr=0.01, beta1=0.5, beta2=0.9).build([("theta", theta)])
    seen = []
    for g in gradients:
        theta.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        seen.append(theta.item())
    assert seen == pytest.approx(steps_by_hand(1.0, gradients, 0.01, 0.5, 0.9, 1e-8), rel=1e-12)


def test_it_is_adam_with_one_more_step_and_one_taken_back() -> None:
    """theta_T = theta_0 - eta (d_1 + ... + d_T) - eta d_T: Adam's place, and Adam's last step once more."""
    torch.manual_seed(0)
    start, gradients = torch.randn(3, 4), torch.randn(6, 3, 4)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimistic = OptimisticAdam(lr=0.1, weight_decay=0.0).build([("w", ours)])
    adam = Adam(lr=0.1, weight_decay=0.0).build([("w", theirs)])
    for g in gradients:
        before = theirs.detach().clone()
        ours.grad, theirs.grad = g.clone(), g.clone()
        optimistic.step()
        adam.step()
    torch.testing.assert_close(ours.detach(), 2 * theirs.detach() - before)


def test_weight_decay_is_added_to_the_gradient() -> None:
    with_decay, by_hand = torch.nn.Parameter(torch.tensor([2.0])), torch.nn.Parameter(torch.tensor([2.0]))
    with_decay.grad, by_hand.grad = torch.tensor([1.0]), torch.tensor([1.0 + 0.1 * 2.0])
    OptimisticAdam(weight_decay=0.1).build([("w", with_decay)]).step()
    OptimisticAdam().build([("w", by_hand)]).step()
    assert torch.equal(with_decay.detach(), by_hand.detach())


def distance_after(optimizer: Optimizer, num_steps: int = 10_000) -> float:
    """From the equilibrium (0, 0) of min_x max_y x y, starting at (1, 1); both move at once."""
    x, y = (torch.nn.Parameter(torch.ones((), dtype=torch.float64)) for _ in "xy")
    first, second = optimizer.build([("x", x)]), optimizer.build([("y", y)])
    for _ in range(num_steps):
        x.grad, y.grad = y.detach().clone(), -x.detach().clone()
        first.step()
        second.step()
    return math.hypot(x.item(), y.item())


def test_it_ends_where_adam_circles() -> None:
    """The paper's claim for x y: "the last iterate of OMD dynamics converges to an equilibrium, in contrast to GD"."""
    assert distance_after(Adam(lr=0.01, beta1=0.0)) > 0.5
    assert distance_after(OptimisticAdam(lr=0.01, beta1=0.0)) < 1e-3


def test_its_state_is_tensors_by_parameter() -> None:
    w = torch.nn.Parameter(torch.ones(2, 3, 4, 4).contiguous(memory_format=torch.channels_last))
    optimizer = OptimisticAdam().build([("w", w)])
    w.grad = torch.ones_like(w)
    optimizer.step()
    state = optimizer.state[w]
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        "step": (), "exp_avg": (2, 3, 4, 4), "exp_avg_sq": (2, 3, 4, 4), "past": (2, 3, 4, 4),
    }  # fmt: skip
    assert state["past"].is_contiguous(memory_format=torch.channels_last)
