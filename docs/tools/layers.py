"""What the nets of a recipe are made of, seen by playing each of its turns once on a tiny batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from attrs import evolve, frozen
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from ganskit import Batch, Nets, Recipe, build_nets

BATCH = 2


@frozen
class Layer:
    """One module without children: where it is in its net, what it is, the shape of one of its outputs."""

    name: str
    kind: str
    output: tuple[int, ...]
    num_parameters: int


def layers(recipe: Recipe) -> Mapping[str, list[Layer]]:
    """The layers of each net in the order in which they are first used.

    Identities are left out. A layer without parameters that keeps the shape, such as a ReLU, is told with the one before it.
    """
    with torch.random.fork_rng(devices=[]):
        nets = build_nets(recipe, recipe.data.provides())
        found: dict[str, list[Layer]] = {name: [] for name in nets}
        for net, module in nets.items():
            for name, part in module.named_modules():
                if _is_layer(name, part):
                    part.register_forward_hook(_note(found[net], name))
        stage = recipe.game.stage(0)
        for turn in recipe.game.turns(stage):
            turn.loss(nets, _batch(recipe, nets))
    return found


def _is_layer(name: str, module: nn.Module) -> bool:
    """A module without children, but for what computes its weight."""
    inside = ".parametrizations." in f".{name}."
    leaf = not list(module.children()) or is_parametrized(module)
    return leaf and not inside and not isinstance(module, nn.Identity)


def parameters(recipe: Recipe) -> dict[str, int]:
    """The number of parameters of each net."""
    with torch.random.fork_rng(devices=[]):
        nets = build_nets(recipe, recipe.data.provides())
    return {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}


def _note(found: list[Layer], name: str) -> Callable[[nn.Module, object, object], None]:
    """A forward hook that adds the module to `found` when it is used for the first time."""
    used = False

    def hook(module: nn.Module, inputs: object, output: object) -> None:
        nonlocal used
        if isinstance(output, torch.Tensor) and not used:
            used = True
            layer = Layer(name, _kind(module), tuple(output.shape[1:]), sum(p.numel() for p in module.parameters()))
            if found and not layer.num_parameters and layer.output == found[-1].output:
                found[-1] = evolve(found[-1], kind=f"{found[-1].kind}, {layer.kind}")
            else:
                found.append(layer)

    return hook


def _kind(module: nn.Module) -> str:
    name = type(module).__name__.removeprefix("Parametrized")
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)):
        return f"{name} {'x'.join(map(str, module.kernel_size))}, stride {module.stride[0]}"
    return f"{name} {module.negative_slope}" if isinstance(module, nn.LeakyReLU) else name


def _batch(recipe: Recipe, nets: Nets) -> Batch:
    """Real data of noise, in the shapes that the dataset provides, and everything else that a turn of the game is given."""
    game = recipe.game
    tensors = {name: noise.draw(BATCH) for name, noise in game.noises().items()}
    for name, field in recipe.data.provides().items():
        x = torch.rand(BATCH, *field.shape)
        tensors[name] = x * 2 - 1 if field.pixels else x.to(getattr(torch, field.dtype))
    tensors |= {name: torch.tensor(value) for name, value in game.scalars(0).items()}
    return Batch(tensors, game.stage(0))
