"""What a net that looks at pictures says of them: shared by the evaluators of section 6."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from ganskit import Model, UserError
from ganskit.evaluate.features import activations

AT_ONCE = 64


def judge(model: Model, net: str, x: torch.Tensor) -> nn.Module:
    """`model.frozen(net)`, after a look at two pictures of x (N, C, H, W) has shown that it can be asked about them alone.

    Raises UserError for a net that is not there, takes something else, or has no convolution.
    """
    frozen = model.frozen(net)
    try:
        with torch.no_grad():
            activations(frozen, x[:2].to(model.device))
    except UserError as error:
        raise UserError(f'The net "{net}" of "{model.recipe.name}": {error}') from error
    except (TypeError, ValueError, IndexError, RuntimeError) as error:  # whatever a plugin's net says of a foreign input
        shape = tuple(x.shape[1:])
        raise UserError(
            f'The net "{net}" of "{model.recipe.name}" cannot be shown samples {shape} by themselves: {error}. '
            f"Expected a net from x to something, such as a discriminator; there are {', '.join(model.nets)}."
        ) from error
    return frozen


@torch.no_grad()
def looks(net: nn.Module, x: torch.Tensor, device: torch.device) -> Iterator[dict[str, torch.Tensor]]:
    """The post-activations (n, C, H, W) of all convolutions by name, of x (N, C, H, W) in batches."""
    for batch in batches(x):
        yield activations(net, batch.to(device))


def batches(x: torch.Tensor) -> Iterator[torch.Tensor]:
    """x (N, ...) in pieces of AT_ONCE."""
    return (x[start : start + AT_ONCE] for start in range(0, len(x), AT_ONCE))
