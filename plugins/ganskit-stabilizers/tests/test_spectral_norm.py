"""Spectral normalisation against the singular values that torch computes, and what a game asks of its state."""

from __future__ import annotations

import copy

import pytest
import torch
from attrs import frozen
from ganskit_stabilizers.spectral_norm import DividedByNorm, SpectralNorm
from torch import nn

from ganskit import Architecture, Shape, UserError, use

SHAPE = Shape((3, 16, 16), (1,))


@frozen
class Fixed(Architecture):
    """Whatever layers a test needs."""

    layers: tuple[nn.Module, ...] = ()

    def build(self, shape: Shape) -> nn.Module:
        return nn.Sequential(*self.layers)


def net_of(*layers: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return SpectralNorm(Fixed(layers)).build(SHAPE)


def divided(layer: nn.Module) -> DividedByNorm:
    made = layer.parametrizations["weight"][0]
    assert isinstance(made, DividedByNorm)
    return made


@pytest.mark.parametrize(
    ("layer", "output_dim"),
    [
        (nn.Linear(7, 5), 0),
        (nn.Conv1d(3, 5, 3), 0),
        (nn.Conv2d(3, 6, 4), 0),
        (nn.Conv3d(2, 4, 3), 0),
        (nn.ConvTranspose1d(6, 3, 3), 1),
        (nn.ConvTranspose2d(6, 3, 5), 1),
        (nn.ConvTranspose3d(4, 2, 3), 1),
    ],
)
def test_it_converges_to_the_largest_singular_value(layer: nn.Linear, output_dim: int) -> None:
    before = layer.weight.detach().clone()
    net_of(layer)
    for _ in range(300):
        after = layer.weight
    matrix = before.transpose(0, output_dim).flatten(1)
    torch.testing.assert_close(after, before / torch.linalg.svdvals(matrix)[0], rtol=1e-4, atol=1e-6)


def test_one_iteration_is_the_papers() -> None:
    """Algorithm 1, step 1 and 2, by hand."""
    layer = nn.Linear(4, 3, bias=False)
    net = net_of(layer)
    W, u = layer.parametrizations["weight"].original, divided(layer).u.clone()
    v = W.T @ u / (W.T @ u).norm()
    u = W @ v / (W @ v).norm()
    x = torch.randn(2, 4)
    torch.testing.assert_close(net(x), x @ (W / (u @ W @ v)).T)
    torch.testing.assert_close(divided(layer).u, u.detach())


def test_every_forward_pass_in_training_is_one_iteration_and_none_outside() -> None:
    layer = nn.Linear(6, 5)
    net, x = net_of(layer), torch.randn(2, 6)
    before = divided(layer).u.clone()
    net(x)
    once = divided(layer).u.clone()
    assert not torch.equal(before, once)
    first, second = net.eval()(x), net(x)
    assert torch.equal(divided(layer).u, once)
    assert torch.equal(first, second)
    net.train()(x)
    assert not torch.equal(divided(layer).u, once)


def test_the_gradient_flows_through_the_norm() -> None:
    """Eq. 9 to 12: the gradient of f(W / sigma) is that of f, less its part along the first singular component."""
    layer = nn.Linear(4, 4, bias=False).double()
    net_of(layer)
    for _ in range(500):
        layer.weight  # noqa: B018 - reading it is a power iteration
    W = layer.parametrizations["weight"].original
    downstream = torch.randn(4, 4).double()
    (grad,) = torch.autograd.grad((layer.weight * downstream).sum(), W)
    U, S, Vh = torch.linalg.svd(W.detach())
    first = torch.outer(U[:, 0], Vh[0])
    expected = (downstream - (downstream * W.detach() / S[0]).sum() * first) / S[0]
    torch.testing.assert_close(grad, expected, rtol=1e-5, atol=1e-7)


def test_it_can_be_differentiated_twice_after_two_passes() -> None:
    """Real, generated, and a penalty: three forward passes before one backward."""
    net = SpectralNorm(use("dcgan.discriminator", width=4, norm="none")).build(SHAPE)
    x = torch.randn(2, 3, 16, 16, requires_grad=True)
    logits = net(x), net(x.flip(0)), net(x)
    (grad,) = torch.autograd.grad(logits[2].sum(), x, create_graph=True)
    (logits[0].mean() - logits[1].mean() + (grad**2).sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_state_is_parameters_and_one_buffer_a_layer() -> None:
    net = net_of(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    assert sorted(net.state_dict()) == [
        "0.bias", "0.parametrizations.weight.0.u", "0.parametrizations.weight.original",
        "2.bias", "2.parametrizations.weight.0.u", "2.parametrizations.weight.original",
    ]  # fmt: skip


def test_a_copy_goes_its_own_way() -> None:
    net, x = net_of(nn.Conv2d(3, 4, 3)), torch.randn(1, 3, 8, 8)
    other = copy.deepcopy(net)
    assert torch.equal(net(x), other(x))
    net(x)
    state, others = net.state_dict(), other.state_dict()
    assert not torch.equal(state["0.parametrizations.weight.0.u"], others["0.parametrizations.weight.0.u"])


def test_a_frozen_net_stays_frozen_and_normalised() -> None:
    net, x = net_of(nn.Linear(3, 1)).requires_grad_(False), torch.randn(2, 3, requires_grad=True)
    net(x).sum().backward()
    assert x.grad is not None
    assert all(p.grad is None for p in net.parameters())


def test_the_norm_is_estimated_in_float32_under_autocast() -> None:
    layer = nn.Linear(64, 64)
    net = net_of(layer)
    with torch.autocast("cpu", torch.bfloat16):
        for _ in range(300):
            out = net(torch.randn(2, 64))
        weight = layer.weight
    assert out.dtype == torch.bfloat16
    assert weight.dtype == torch.float32
    assert torch.linalg.svdvals(weight)[0].item() == pytest.approx(1, abs=1e-4)


def test_it_keeps_channels_last() -> None:
    layer = nn.Conv2d(4, 8, 3).to(memory_format=torch.channels_last)
    net_of(layer)
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)


def test_zeros_stay_zeros() -> None:
    layer = nn.Linear(3, 2)
    nn.init.zeros_(layer.weight)
    net_of(layer)
    assert torch.equal(layer.weight, torch.zeros(2, 3))


def test_initial_vectors_follow_from_the_default_generator() -> None:
    def first(seed: int) -> torch.Tensor:
        layer = nn.Linear(3, 9)
        nn.init.ones_(layer.weight)
        torch.manual_seed(seed)
        made = DividedByNorm(layer.weight, 0)
        return made.u

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_a_net_without_weights_is_refused() -> None:
    with pytest.raises(UserError, match="Fixed has none"):
        net_of(nn.ReLU())
