"""Which checkpoint of a run is meant."""

from __future__ import annotations

from pathlib import Path

from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.rundir import RunDir
from ganskit.errors import UserError


def chosen_checkpoint(directory: RunDir, checkpoint: str | Path | int | None) -> Path:
    """The newest (None), a file, the number in a file's name, or "best:NAME". Raises UserError for none, or damaged ones."""
    there = checkpoints.files(directory.checkpoints)
    if checkpoint is None:
        file, damaged = checkpoints.newest(directory.checkpoints)
        if file is None:
            if not there:
                raise UserError(f"{directory.path} has no checkpoint yet: train it, or go on with it with --resume.")
            raise UserError(
                f"Damaged: {', '.join(map(str, there))}. The .sha256 files beside them are missing, or differ from them: "
                "put these back from a copy, or train anew elsewhere."
            )
        if damaged:  # an older one in its place would give other samples and numbers without a word
            raise UserError(
                f"{damaged[0]} is damaged: its SHA-256 is not the one written beside it. Take the one before "
                f"(checkpoint={int(file.stem)}, --checkpoint {int(file.stem)}), or train from there with --resume."
            )
        return file
    text = str(checkpoint)
    if text == "best" or text.startswith("best:"):
        text = str(directory.best_checkpoint(text[5:]))
    by_number = {int(f.stem): f for f in (*checkpoints.files(directory.best), *there) if f.stem.isdecimal()}
    file = by_number.get(int(text), Path(text)) if text.isdecimal() else Path(text)
    if not file.is_file():
        has = ", ".join(by_number[number].stem for number in sorted(by_number)) or "none"
        raise UserError(f"There is no checkpoint {checkpoint}: {directory.path} has {has}.")
    if not checkpoints.checksum_file(file).is_file():
        raise UserError(f"{file} is no checkpoint: it has no SHA-256 beside it. Take one of {directory.checkpoints}.")
    if not checkpoints.is_whole(file):
        raise UserError(
            f"{file} is damaged: its SHA-256 is not the one written beside it. Leave --checkpoint out to take a whole one."
        )
    return file
