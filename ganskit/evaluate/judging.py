"""What a net that looks at pictures says of them: shared by evaluators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from attrs import evolve
from torch import nn

from ganskit.engine.engine import build_nets
from ganskit.errors import UserError, one_line
from ganskit.evaluate.features import activations
from ganskit.evaluate.model import Model

AT_ONCE = 64


def judge(model: Model, net: str, x: torch.Tensor) -> nn.Module:
    """`model.frozen(net)`, after a look at two pictures of x (N, C, H, W) has shown that it can be asked about them alone.

    Raises UserError for a net that is not there, takes something else, or has no convolution.
    """
    frozen = model.frozen(net)
    with shown(model, net, tuple(x.shape[1:])), torch.no_grad():
        activations(frozen, x[:2].to(model.device))
    return frozen


@contextmanager
def shown(model: Model, net: str, shape: tuple[int, ...]) -> Iterator[None]:
    """While a net is shown pictures of this shape: whatever a plugin's net says of a foreign input becomes a UserError."""
    whose = f'The net "{net}" of "{model.recipe.name}"'
    try:
        yield
    except UserError as error:
        raise UserError(f"{whose}: {error}") from error
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        why = one_line(error).rstrip(".")
        raise UserError(
            f"{whose} cannot be shown samples {shape} by themselves: {why}. "
            f"Expected a net from x to something, like a discriminator, and data that fit it; there are {', '.join(model.nets)}."
        ) from error


def untrained(model: Model, seed: int) -> Model:
    """The same recipe with fresh weights, which are not those that the training began with."""
    recipe = evolve(model.recipe, seed=model.recipe.seed + 1 + seed)
    return Model(recipe, build_nets(recipe, recipe.data.provides()), 0, model.device)


@torch.no_grad()
def looks(net: nn.Module, x: torch.Tensor, device: torch.device) -> Iterator[dict[str, torch.Tensor]]:
    """The post-activations (n, C, H, W) of all convolutions by name, of x (N, C, H, W) in batches."""
    for batch in batches(x):
        yield activations(net, batch.to(device))


def batches(x: torch.Tensor) -> Iterator[torch.Tensor]:
    """x (N, ...) in pieces of AT_ONCE."""
    return (x[start : start + AT_ONCE] for start in range(0, len(x), AT_ONCE))
