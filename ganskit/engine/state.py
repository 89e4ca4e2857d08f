"""The state of a game as one tree of tensors and JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ganskit.engine.engine import Engine
from ganskit.errors import UserError

Tensors = dict[str, torch.Tensor]


def save_state(engine: Engine) -> tuple[Tensors, dict[str, Any]]:
    """Everything that training depends on besides the recipe: tensors by path, and a little JSON.

    Every process must call it, for those of rank-local modules are gathered.
    """
    tensors: Tensors = {}
    numbers: dict[str, Any] = {}
    for path, tensor in net_tensors(engine.nets):
        if path.split("/")[1] in rank_local(engine.nets):
            tensors |= {f"rank/{rank}/{path}": t for rank, t in enumerate(engine.world.gather(tensor.detach()))}
        else:
            tensors[path] = tensor.detach()
    tensors |= {f"ema/{path.removeprefix('nets/')}": t.detach() for path, t in net_tensors(engine.averages)}
    for player, optimizer in engine.optimizers.items():
        for name, parameter in engine.owned[player].items():
            for key, value in optimizer.state.get(parameter, {}).items():
                path = f"optim/{player}/{name}/{key}"
                if isinstance(value, torch.Tensor):
                    tensors[path] = value
                else:
                    numbers[path] = value
    meta = {"round": engine.round, "samples": engine.samples, "stage_samples": engine.stage_samples, "numbers": numbers}
    return {path: t.to("cpu").contiguous().clone() for path, t in tensors.items()}, meta


@torch.no_grad()
def load_state(engine: Engine, tensors: Mapping[str, torch.Tensor], meta: Mapping[str, Any]) -> None:
    """Put a saved state into an engine made from the same recipe. Raises UserError when it does not fit."""
    rank = f"rank/{engine.world.rank}/"
    for path, target in net_tensors(engine.nets):
        here = next((p for p in (rank + path, path) if p in tensors), f"rank/0/{path}")  # another number of processes
        target.copy_(_stored(tensors, here, target))
    for path, target in net_tensors(engine.averages):
        target.copy_(_stored(tensors, f"ema/{path.removeprefix('nets/')}", target))
    states = {**tensors, **meta["numbers"]}
    for player, optimizer in engine.optimizers.items():
        for name, parameter in engine.owned[player].items():
            prefix = f"optim/{player}/{name}/"
            state = {p.removeprefix(prefix): _like(v, parameter, optimizer) for p, v in states.items() if p.startswith(prefix)}
            if state:
                optimizer.state[parameter] = state
    engine.round, engine.samples = meta["round"], meta["samples"]
    engine.stage_samples = meta["stage_samples"]
    engine.stage = engine.game.stage(engine.stage_samples) if engine.round else None


def rank_local(nets: nn.Module) -> set[str]:
    """Nets whose state differs between processes (image pools): those with a true attribute `rank_local`."""
    return {name for name, net in nets.named_children() if getattr(net, "rank_local", False)}


def net_tensors(nets: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Parameters and persistent buffers as nets/G/blocks.0.weight."""
    return [(f"nets/{path.replace('.', '/', 1)}", t) for path, t in nets.state_dict(keep_vars=True).items()]


def _stored(tensors: Mapping[str, torch.Tensor], path: str, target: torch.Tensor) -> torch.Tensor:
    """A tensor of the checkpoint that fits; `copy_` would broadcast and convert whatever it gets."""
    stored = tensors.get(path)
    if stored is None or (stored.shape, stored.dtype) != (target.shape, target.dtype):
        found = "lacks it" if stored is None else f"has {stored.dtype} {tuple(stored.shape)}"
        raise UserError(
            f"{path} should be {target.dtype} {tuple(target.shape)}, and the checkpoint {found}: it is of another recipe."
        )
    return stored


def _like(value: Any, parameter: torch.Tensor, optimizer: torch.optim.Optimizer) -> Any:  # noqa: ANN401 - a tensor or a number
    """A moment in its parameter's own strides: fused kernels pair raw memory, and files hold contiguous tensors."""
    if not isinstance(value, torch.Tensor):
        return value
    if not value.is_floating_point() or value.shape not in (parameter.shape, torch.Size()):
        raise UserError(
            f"The checkpoint has a state of {value.dtype} {tuple(value.shape)} for a parameter {tuple(parameter.shape)}."
        )
    if value.shape != parameter.shape:  # a step counter, which fused kernels want on the parameter's device
        return value.clone().to(parameter.device if optimizer.defaults.get("fused") else "cpu")
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
