"""Post-activations of the convolutions of any net."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganskit import Shape, UserError, use
from ganskit.evaluate.features import activations, intervene, layers


def discriminator(**options: object) -> nn.Module:
    torch.manual_seed(0)
    return use("dcgan.discriminator", **{"width": 4, **options}).build(Shape((3, 16, 16), (1,)))


class Functional(nn.Module):
    """Convolutions as calls with parameters of its own; the second has no activation, and is written over afterwards."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Parameter(torch.randn(4, 3, 3, 3))
        self.second = nn.Parameter(torch.randn(4, 4, 3, 3))
        self.third = nn.Parameter(torch.randn(4, 2, 3, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.gelu(F.conv2d(x, self.first, padding=1))
        g = torch.conv2d(h, self.second, padding=1)
        g += h
        g.mul_(2)
        out = F.conv_transpose2d(g, self.third, padding=1)
        return torch.tanh_(out).flatten(1).relu()


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.act(self.a(x))
        h = self.norm(self.a(h))
        h += x
        return self.b(h)


@pytest.mark.parametrize("norm", ["batch", "running", "none"])
def test_the_layers_of_a_dcgan_discriminator_are_its_blocks_outputs(norm: str) -> None:
    net, x = discriminator(norm=norm, convs=2, kernel=3), torch.rand(5, 3, 16, 16)
    with torch.no_grad():
        found, expected = layers(net, x), net.features(x)
    assert [layer.name for layer in found] == [f"blocks.{i}.0" for i in range(4)]
    assert {layer.function for layer in found} == {"leaky_relu"}
    # the net's own list is overwritten by nobody: each block makes a tensor of its own
    for layer, h in zip(found, expected, strict=True):
        assert torch.equal(layer.h, h)


def test_a_generator_ends_with_tanh() -> None:
    net = use("dcgan.generator", width=4).build(Shape((8,), (3, 16, 16)))
    z = torch.randn(4, 8)
    found = layers(net, z)
    assert [layer.function for layer in found] == ["relu", "tanh"]
    assert found[-1].name == "out"
    assert torch.equal(found[-1].h, net(z))


def test_functional_convolutions_have_the_names_of_their_weights() -> None:
    net, x = Functional(), torch.rand(2, 3, 8, 8)
    found = {layer.name: layer for layer in layers(net, x)}
    assert {name: layer.function for name, layer in found.items()} == {"first": "gelu", "second": "conv2d", "third": "tanh"}
    h = F.gelu(F.conv2d(x, net.first, padding=1))
    assert torch.equal(found["first"].h, h)
    assert torch.equal(found["second"].h, torch.conv2d(h, net.second, padding=1))  # as it was before it was written over


def test_without_an_activation_the_normalisation_counts_and_repeated_layers_are_numbered() -> None:
    net = Residual()
    found = layers(net, torch.rand(2, 3, 8, 8))
    assert [(layer.name, layer.function) for layer in found] == [("a", "relu"), ("a#2", "batch_norm"), ("b", "conv2d")]
    normed = net.norm(net.a(found[0].h))
    assert torch.allclose(found[1].h, normed, atol=1e-6)


def test_weights_that_are_computed_take_the_name_of_their_module() -> None:
    net = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)), nn.ReLU())
    assert list(activations(net, torch.rand(2, 3, 8, 8))) == ["0"]


def test_activations_can_be_differentiated() -> None:
    net, x = discriminator(norm="none"), torch.rand(2, 3, 16, 16, requires_grad=True)
    found = activations(net, x)
    (gradient,) = torch.autograd.grad(found["blocks.1.0"][0, 0].sum(), x)
    assert gradient[0].abs().sum() > 0
    assert gradient[1].abs().sum() == 0


def test_under_autocast_they_are_what_the_net_computed() -> None:
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        found = activations(discriminator(), torch.rand(2, 3, 16, 16))
    assert {h.dtype for h in found.values()} == {torch.bfloat16}


def test_a_net_without_convolutions_is_refused() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    assert layers(net, torch.rand(2, 3, 2, 2)) == []
    with pytest.raises(UserError, match="no 2-d convolution"):
        activations(net, torch.rand(2, 3, 2, 2))


@pytest.mark.parametrize("inplace", [True, False])
def test_an_intervention_replaces_the_post_activation(inplace: bool) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=inplace), nn.Conv2d(4, 2, 3), nn.ReLU()).eval()
    x = torch.rand(2, 3, 8, 8)
    mask = torch.tensor([1.0, 0, 0, 1]).view(1, 4, 1, 1)
    with torch.no_grad():
        usual = net(x)
        with intervene(net, "0", lambda h: h * mask):
            changed = net(x), net(x)
        assert torch.equal(net(x), usual)
        expected = net[3:](net[:3](x) * mask)
    assert torch.equal(changed[0], expected)
    assert torch.equal(changed[1], expected)


def test_interventions_can_be_nested_watched_and_leave_no_trace() -> None:
    net, x = Residual().train(), torch.rand(2, 3, 8, 8)
    before = net.norm.num_batches_tracked.item()
    with torch.no_grad(), intervene(net, "a", torch.zeros_like), intervene(net, "b", lambda h: h + 1):
        found = layers(net, x)
        out = net(x)
    assert [layer.name for layer in found] == ["a", "a#2", "b"]
    assert torch.equal(out, found[-1].h + 1)
    assert net.norm.num_batches_tracked.item() == before + 2
    assert not net._forward_hooks
    assert not net._forward_pre_hooks


def test_an_intervention_ends_when_the_net_fails() -> None:
    net = discriminator()
    with intervene(net, "blocks.0.0", torch.zeros_like), pytest.raises(RuntimeError):
        net(torch.rand(2, 1, 16, 16))
    x = torch.rand(2, 3, 16, 16)
    assert torch.equal(net(x), net(x))
    assert torch.overrides._get_current_function_mode_stack() == []


def test_a_layer_that_is_not_there_is_named() -> None:
    net = discriminator()
    with pytest.raises(UserError, match=r'no layer "blocks.7.0". Did you mean "blocks'), intervene(net, "blocks.7.0", torch.relu):
        net(torch.rand(2, 3, 16, 16))
