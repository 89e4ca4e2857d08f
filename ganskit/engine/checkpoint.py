"""Checkpoint files: one .safetensors each with its SHA-256 beside it, and never half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ganskit.data.files import remove_left_overs, sha256, write_whole
from ganskit.errors import RunFailed, UserError

FORMAT = 1
META = {"format": int, "round": int, "samples": int, "stage_samples": int, "numbers": dict, "recipe": dict, "environment": dict}
KEPT = 2
"""So many of the newest stay: the last, and the one to fall back on if that one is damaged."""


@frozen
class Checkpoint:
    """A checkpoint in memory: tensors by path, and the JSON that goes with them."""

    tensors: Mapping[str, torch.Tensor]
    meta: Mapping[str, Any]


def write(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write SAMPLES.safetensors into the folder and remove the oldest.

    Raises RunFailed when the disk is full or cannot be written; checkpoints that were there stay as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{checkpoint.meta['samples']:012}.safetensors"
    half = file.with_suffix(".partial")
    try:
        save_file(dict(checkpoint.tensors), half, {"ganskit": json.dumps({"format": FORMAT, **checkpoint.meta})})
        with half.open("rb+") as written:
            os.fsync(written.fileno())
        # the checksum comes first: a checksum without a file is nothing, a file without a checksum would be damaged
        write_whole(checksum_file(file), f"{sha256(half)}  {file.name}\n".encode())
        half.chmod(checksum_file(file).stat().st_mode)  # save_file makes it readable by its owner only
        half.replace(file)
        _sync_folder(folder)
    except (OSError, SafetensorError) as error:
        size = sum(t.nbytes for t in checkpoint.tensors.values())
        raise RunFailed(
            f"The checkpoint {file} cannot be written: {error}. It needs {size / 1e6:,.0f} MB. "
            f"{'The last good checkpoint is still there: make' if files(folder) else 'Make'} room and go on with --resume."
        ) from error
    finally:
        for left_over in folder.glob("*.partial"):  # of this attempt, or a killed one
            left_over.unlink(missing_ok=True)
        remove_left_overs(folder)
    for old in files(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
        checksum_file(old).unlink(missing_ok=True)
    return file


def files(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(file for file in folder.glob("*.safetensors") if file.stem.isdecimal())


def is_whole(file: Path) -> bool:
    """Whether the file is what its checksum says."""
    try:
        return checksum_file(file).read_text().split()[0] == sha256(file)
    except (OSError, IndexError, ValueError):  # of no text at all, too
        return False


def newest(folder: Path) -> tuple[Path | None, list[Path]]:
    """The newest whole checkpoint, or None, and the damaged ones that are newer."""
    damaged: list[Path] = []
    for file in reversed(files(folder)):
        if is_whole(file):
            return file, damaged
        damaged.append(file)
    return None, damaged


def put_aside(damaged: Path) -> Path:
    """Rename a damaged checkpoint, so that it does not count as the newest ever after; return its new path."""
    return damaged.replace(damaged.with_suffix(".damaged"))


def read(file: Path) -> Checkpoint:
    """Read a checkpoint. Raises UserError when it is not one, or is of a newer format."""
    try:
        with safe_open(file, framework="pt") as opened:
            meta = json.loads((opened.metadata() or {}).get("ganskit", "{}"))
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise UserError(f"{file} is not a checkpoint that can be read: {error}") from error
    if isinstance(meta, dict) and isinstance(meta.get("format"), int) and meta["format"] > FORMAT:
        raise UserError(f"{file} has checkpoint format {meta['format']}, and this ganskit reads {FORMAT}: upgrade ganskit.")
    if not isinstance(meta, dict) or any(type(meta.get(key)) is not kind for key, kind in META.items()):
        raise UserError(f"{file} is no checkpoint of ganskit.")
    return Checkpoint(tensors, meta)


def checksum_file(file: Path) -> Path:
    return file.with_suffix(".safetensors.sha256")


def _sync_folder(folder: Path) -> None:
    """Make the renames last through a power cut, where folders can be synced (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
