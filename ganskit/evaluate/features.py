"""What the convolutions of a net say of its input, for any net: nothing has to be written for it.

The functions that torch is asked to compute are watched, so a layer is found whether it is a module or a call such as
`F.conv2d`, and whether its activation works in place or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import torch
from attrs import frozen
from torch import nn
from torch.overrides import TorchFunctionMode

from ganskit.errors import UserError, nearest

CONVOLUTIONS = frozenset({"conv2d", "conv_transpose2d"})
NORMALISATIONS = frozenset({"batch_norm", "instance_norm", "group_norm", "layer_norm", "local_response_norm"})
ACTIVATIONS = frozenset(
    {
        *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign"),
        *("sigmoid", "logsigmoid", "hardsigmoid", "hardswish", "tanh", "hardtanh", "tanhshrink", "hardshrink", "softshrink"),
        *("threshold", "clamp", "clamp_min", "maximum", "sin"),
    }
)
"""Names of torch's functions; the same ones work in place with an underscore behind them."""

_planning: ContextVar[bool] = ContextVar("planning", default=False)


@frozen(eq=False)
class Layer:
    """A convolution and what follows it up to the next one.

    `name` is its module's path, such as "blocks.0.0"; of a weight that is no module's, the parameter's name. `h` (N, C, H, W) is
    its post-activation: the output of the last activation function before the next convolution, else of the last normalisation,
    else of the convolution itself. `function` is the one that made it, such as "leaky_relu".
    """

    name: str
    h: torch.Tensor
    function: str


def layers(net: nn.Module, x: torch.Tensor, *others: object) -> list[Layer]:
    """One `Layer` for each 2-d convolution (transposed or not) that `net(x, *others)` computes, in their order.

    Differentiable; in the dtype that the net computes in.
    """
    with _recorded(net) as recorder:
        net(x, *others)
    return [Layer(each.name, each.h, each.function) for each in recorder.found]


def activations(net: nn.Module, x: torch.Tensor, *others: object) -> dict[str, torch.Tensor]:
    """The post-activations (N, C, H, W) of all convolutions by name, in order, differentiable.

    Raises UserError for a net without convolutions.
    """
    found = {layer.name: layer.h for layer in layers(net, x, *others)}
    if not found:
        raise UserError(f"{type(net).__name__} has no 2-d convolution that could be looked at: choose a net that has some.")
    return found


@contextmanager
def intervene(net: nn.Module, layer: str, function: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """In every forward pass of `net` in here the layer's post-activation h (N, C, H, W) is replaced by `function(h)`.

    The first pass is made twice, to see what follows the layer. Raises UserError, there, for a net that has no such layer.
    """
    plan: list[int] = []

    def begin(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not _planning.get():
            plan[:] = plan or [_place(net, layer, args, kwargs)]
            active.append(ExitStack())
            active[-1].enter_context(_Replacing(plan[0], function))

    def end(*_: object) -> None:
        if not _planning.get() and active:
            active.pop().close()

    active: list[ExitStack] = []
    handles = [
        net.register_forward_pre_hook(begin, with_kwargs=True),
        net.register_forward_hook(end, always_call=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Found:
    """A layer in the making. `place` is the number of the watched call that made `h`."""

    def __init__(self, name: str, h: torch.Tensor, function: str, place: int) -> None:
        self.name, self.h, self.function, self.place = name, h, function, place
        self.shape, self.rank = h.shape, 0

    def offer(self, h: torch.Tensor, function: str, place: int, rank: int) -> None:
        """Take a later output of the same shape instead; a normalisation only if there was no activation yet."""
        if rank >= self.rank and h.shape == self.shape:
            self.h, self.function, self.place, self.rank = h, function, place, rank


def _kind(function: str) -> int:
    """0 for a convolution, 1 for a normalisation, 2 for an activation, and -1 for what is not watched."""
    kinds = (CONVOLUTIONS, NORMALISATIONS, ACTIVATIONS)
    return next((i for i, names in enumerate(kinds) if function in names), -1)


def _name(func: Callable[..., Any]) -> str:
    return str(getattr(func, "__name__", "")).rstrip("_")


class _Recording(TorchFunctionMode):
    """Sees what torch computes, and keeps the layers."""

    def __init__(self, names: Mapping[int, str], planning: bool) -> None:
        super().__init__()
        self.names, self.planning = names, planning
        self.path: list[str] = []
        self.found: list[_Found] = []
        self.calls = -1

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's
        kwargs = kwargs or {}
        if _planning.get() != self.planning:
            return func(*args, **kwargs)
        kind = _kind(_name(func))
        self._keep_from_being_written(func, kind, args, kwargs)
        out = func(*args, **kwargs)
        if kind < 0 or not isinstance(out, torch.Tensor):
            return out
        self.calls += 1
        if kind == 0:
            self.found.append(_Found(self._named(args, kwargs), out, _name(func), self.calls))
        elif self.found:
            self.found[-1].offer(out, _name(func), self.calls, kind)
        return out

    def _keep_from_being_written(self, func: Any, kind: int, args: Any, kwargs: Any) -> None:  # noqa: ANN401 - torch's
        """What works in place overwrites what it is given: a layer's output is copied first, unless it becomes the layer's."""
        name = str(getattr(func, "__name__", ""))
        operator = name.startswith("__")
        in_place = name.startswith(("__i", "__set")) if operator else name.endswith("_") or kwargs.get("inplace")
        if not in_place:
            return
        written = args[0] if args else kwargs.get("input")
        if not isinstance(written, torch.Tensor):
            return
        for each in self.found:
            if each.h.untyped_storage().data_ptr() == written.untyped_storage().data_ptr():
                replaced = each is self.found[-1] and kind >= max(1, each.rank) and each.shape == written.shape
                each.h = each.h if replaced else each.h.clone()

    def _named(self, args: Any, kwargs: Any) -> str:  # noqa: ANN401 - torch's
        weight = args[1] if len(args) > 1 else kwargs.get("weight")
        name = self.names.get(id(weight)) or next((path for path in reversed(self.path) if path), "conv")
        known = {each.name for each in self.found}
        again = (f"{name}#{i}" for i in range(2, len(known) + 3))
        return name if name not in known else next(each for each in again if each not in known)


class _Replacing(TorchFunctionMode):
    """Puts function(h) in the place of one watched call's output."""

    def __init__(self, place: int, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.place, self.function = place, function
        self.calls = -1

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's
        out = func(*args, **(kwargs or {}))
        if _planning.get() or _kind(_name(func)) < 0 or not isinstance(out, torch.Tensor):
            return out
        self.calls += 1
        if self.calls != self.place:
            return out
        if any(out is each for each in args):  # in place: the net may go on with what it gave, and not with what it got
            return out.copy_(self.function(out.clone()))
        return self.function(out)


@contextmanager
def _recorded(net: nn.Module, planning: bool = False) -> Iterator[_Recording]:
    names = {id(parameter): path.removesuffix(".weight") for path, parameter in net.named_parameters()}
    recorder = _Recording(names, planning)

    def leave(*_: object) -> None:
        recorder.path.pop()

    handles = []
    for path, module in net.named_modules():
        handles.append(module.register_forward_pre_hook(partial(_enter, recorder.path, path)))
        handles.append(module.register_forward_hook(leave))
    try:
        with recorder:
            yield recorder
    finally:
        for handle in handles:
            handle.remove()


def _enter(path: list[str], name: str, *_: object) -> None:
    path.append(name)


def _place(net: nn.Module, layer: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """The number of the call that makes the layer's post-activation, from a pass that leaves no trace."""
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    devices = {t.device for t in (*args, *kwargs.values()) if isinstance(t, torch.Tensor) and t.is_cuda}
    token = _planning.set(True)
    try:
        with torch.no_grad(), torch.random.fork_rng(list(devices)), _recorded(net, planning=True) as recorder:
            torch.func.functional_call(net, buffers, args, kwargs)
    finally:
        _planning.reset(token)
    places = {each.name: each.place for each in recorder.found}
    if layer not in places:
        raise UserError(f'{type(net).__name__} has no layer "{layer}". {nearest(layer, places)}')
    return places[layer]
