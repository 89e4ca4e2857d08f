"""How a turn's loss is computed: eagerly, or by one compiled function for the whole loss."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch._dynamo.exc import BackendCompilerFailed
from torch.overrides import TorchFunctionMode

from ganskit.errors import RunFailed, UserError
from ganskit.game import Batch, Nets, Stage, Turn
from ganskit.losses import Parts, parts_of

Compute = Callable[[Batch], tuple[torch.Tensor, Parts]]


def evaluate(turn: Turn, nets: Nets, b: Batch) -> tuple[torch.Tensor, Parts]:
    """The loss in float32: what is minimised, and its named parts."""
    parts = checked_parts(turn, nets, b)
    return torch.stack([part.float() for part in parts.values()]).sum(), parts


def checked_parts(turn: Turn, nets: Nets, b: Batch) -> Parts:
    """The turn's loss by name. Raises UserError for a part that is not one number."""
    parts = parts_of(turn.loss(nets, b))
    for name, part in parts.items():
        if not isinstance(part, torch.Tensor) or part.ndim or not part.is_floating_point():
            is_tensor = isinstance(part, torch.Tensor)
            found = f"{part.dtype} of shape {tuple(part.shape)}" if is_tensor else type(part).__name__
            raise UserError(f"{turn.player}'s loss ({name}) is {found}: expected one number as a tensor, such as a mean.")
    return parts


class _DoubleBackward(TorchFunctionMode):
    """Sees whether anything asks for a gradient that can be differentiated again."""

    found: bool = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's signature
        kwargs = kwargs or {}
        if func is torch.autograd.grad and kwargs.get("create_graph"):
            self.found = True
        return func(*args, **kwargs)


@contextmanager
def off_the_record(nets: Nets) -> Iterator[None]:
    """What is computed in here leaves no trace: buffers and torch's random numbers are put back."""
    buffers = [(buffer, buffer.clone()) for buffer in nets.buffers()]
    devices = {p.device for p in nets.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices):
        yield
    with torch.no_grad():
        for buffer, before in buffers:
            buffer.copy_(before)


def differentiates_twice(turn: Turn, nets: Nets, b: Batch) -> bool:
    """Run the loss once, off the record, and see whether it needs double backward: compiled graphs have none."""
    with off_the_record(nets), _DoubleBackward() as mode:
        evaluate(turn, nets, Batch(b.tensors, b.stage))
    return bool(mode.found)


def eager(turn: Turn, nets: Nets) -> Compute:
    """The loss as it is written."""
    return lambda b: evaluate(turn, nets, b)


def compiled(turn: Turn, nets: Nets, stage: Stage, backend: str) -> Compute:
    """The loss as one compiled function of the batch's tensors.

    Static shapes, because a resume after a change of batch size would otherwise trace another graph; random numbers
    from torch's own generator, because inductor's would be other ones than eager's.
    """

    def play(tensors: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Parts, dict[str, torch.Tensor]]:
        b = Batch(tensors, stage)
        return *evaluate(turn, nets, b), b.tensors

    # torch keeps compiled graphs by code object and refuses a ninth: each turn of each stage needs one of its own
    play.__code__ = play.__code__.replace(co_name=f"play_{turn.player}")
    options: dict[str, Any] = {"options": inductor_options()} if backend == "inductor" else {}
    fast = torch.compile(play, backend=backend, dynamic=False, **options)

    def compute(b: Batch) -> tuple[torch.Tensor, Parts]:
        with warnings.catch_warnings(), without_caches():
            warnings.simplefilter("ignore")  # torch's advice on compiling, which a user of ganskit cannot follow
            try:
                total, parts, b.tensors = fast(b.tensors)
            except BackendCompilerFailed as error:
                why = str(error).splitlines()[0]
                raise RunFailed(f"{turn.player}'s turn cannot be compiled: {why} Go on with --set compile=off.") from error
        return total, parts

    return compute


def inductor_options() -> dict[str, bool]:
    """No random numbers of its own, no pickled graphs, and no choices by timing where torch lets us say so."""
    import torch._inductor.config as config  # slow to import, and seldom wanted

    options = {"fallback_random": True, "fx_graph_cache": False, "fx_graph_remote_cache": False}
    return options | ({"deterministic": True} if hasattr(config, "deterministic") else {})


def without_caches() -> AbstractContextManager[None]:
    """Torch keeps and reads no pickled graphs while it traces: the caches before inductor do not know its options.

    The backward pass is compiled later, outside of this: there the options hold.
    """
    import torch._inductor.config as config

    return config.patch(force_disable_caches=True)  # type: ignore[no-any-return]  # untyped; torch 2.14 takes it as no option


def choose(turn: Turn, nets: Nets, b: Batch, backend: str) -> Compute:
    """Compiled where asked for and possible, else eager."""
    if backend == "off" or differentiates_twice(turn, nets, b):
        return eager(turn, nets)
    return compiled(turn, nets, b.stage, backend)
