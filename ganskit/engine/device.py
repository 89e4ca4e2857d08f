"""Which device and precision a run uses, and the seeds of everything random in it."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganskit.errors import RunFailed, UserError


def resolve_device(name: str = "auto", local_rank: int = 0) -> torch.device:
    """ "auto" is CUDA, then mps, then the CPU. Raises UserError, naming the devices there are."""
    there = ["cpu"]
    if torch.cuda.is_available():
        there[:0] = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if name == "auto":
        name = "cuda" if there[0].startswith("cuda") else there[0]
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f'"{name}" is not a device: expected auto, cpu, cuda, cuda:1 or mps.') from None
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", local_rank)
    if str(device) not in there:
        raise UserError(f'There is no device "{name}" here, only {", ".join(there)}. Leave --device out to take the first.')
    return device


def multiplies_bf16_fast(device: torch.device) -> bool:
    """CUDA sm80 and newer; CPUs with AMX or AVX512-BF16."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    # these are torch's only questions about the CPU, and they are private
    checks: list[Callable[[], bool] | None] = [
        getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    ]
    return any(check() for check in checks if check)


def resolve_precision(name: str, device: torch.device, pictures: bool = True) -> str:
    """ "auto" is bf16 for pictures where the hardware multiplies it fast, else fp32.

    bf16 keeps eight bits of a number, as many as a pixel has; coordinates and the like need more.
    """
    if name != "auto":
        return name
    return "bf16" if pictures and multiplies_bf16_fast(device) else "fp32"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """The context in which losses are computed."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


@contextmanager
def exact_fp32() -> Iterator[None]:
    """fp32 means it: else cuDNN's convolutions keep only ten bits of each factor. torch's setting is put back."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def processor(device: torch.device) -> str:
    """What numbers depend on: the GPU's name, or the CPU's and its vector instructions."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():  # on Linux the platform module knows the architecture only
        model = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE)
        name = model[1].strip() if model else name
    return f"{name} {torch.backends.cpu.get_cpu_capability()}"


# The fourth word of a key that is not a round's: SeedSequence takes a missing word for 0, so these streams never meet.
FOR_WEIGHTS, FOR_GRIDS, FOR_SAMPLES, FOR_STATISTICS, FOR_UNPAIRED = 1, 2, 3, 4, 5


def seed_of(*key: int) -> int:
    """A 63-bit seed that is a pure function of the key: (seed, rank, round), or (seed, number, 0, purpose)."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1))


def forked_rng(device: torch.device) -> AbstractContextManager[None]:
    """A context after which torch's random numbers go on as if nothing had been drawn, on the CPU and the device."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


def torch_settings() -> dict[str, Any]:
    """torch's global settings that training depends on and that others could change."""
    return {
        "number of threads": torch.get_num_threads(),
        "default dtype": torch.get_default_dtype(),
        "grad mode": torch.is_grad_enabled(),
        "cudnn.deterministic": torch.backends.cudnn.deterministic,
        "cudnn.allow_tf32": torch.backends.cudnn.allow_tf32,
    }


def restore_torch_settings(settings: dict[str, Any]) -> None:
    """Put back what `torch_settings` returned."""
    torch.set_num_threads(settings["number of threads"])
    torch.set_default_dtype(settings["default dtype"])
    torch.set_grad_enabled(settings["grad mode"])
    torch.backends.cudnn.deterministic = settings["cudnn.deterministic"]
    torch.backends.cudnn.allow_tf32 = settings["cudnn.allow_tf32"]


@contextmanager
def torch_settings_kept() -> Iterator[None]:
    """A context after which torch's settings are as they were: an evaluation that trains a small network goes on in its own."""
    before = torch_settings()
    try:
        yield
    finally:
        restore_torch_settings(before)


@contextmanager
def memory_errors(
    advice: str = "Use smaller nets, a smaller batch_size, or split each batch with --set accumulate=2.",
) -> Iterator[None]:
    """Turn a lack of memory, which torch reports as a RuntimeError, into advice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
        if not known and not re.search("allocate memory|not enough memory", str(error)):
            raise
        raise RunFailed(f"Out of memory: {str(error).splitlines()[0]} {advice}") from error
