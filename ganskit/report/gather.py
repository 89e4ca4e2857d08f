"""What is known of a run, read from its directory; what cannot be read is noted and not more."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from safetensors import SafetensorError, safe_open

from ganskit.engine import checkpoint as checkpoints
from ganskit.engine.rundir import RunDir
from ganskit.errors import UserError, one_line
from ganskit.recipe import read_table
from ganskit.report.found import Found, evaluations
from ganskit.report.reading import Troubles, finite, json_lines, table


@frozen(kw_only=True)
class Run:
    """A run's recipe as a table, its clock, losses, grids and evaluations, and what of it could not be read."""

    path: Path
    label: str
    """Short, and other than those of the runs beside it."""
    recipe: Mapping[str, Any]
    recipe_text: str
    samples: int
    time_s: float
    meta: Mapping[str, Any]
    """What the newest whole checkpoint says of itself; empty without one."""
    parameters: Mapping[str, int]
    """Of every net, by name."""
    metrics: tuple[Mapping[str, Any], ...]
    grids: tuple[tuple[int, Path], ...]
    """Sample grids by clock, oldest first."""
    evaluations: tuple[Found, ...]
    troubles: Troubles = field(factory=list)

    @property
    def name(self) -> str:
        """The recipe's."""
        return str(self.recipe.get("name") or self.path.resolve().name)

    @property
    def budget(self) -> int:
        """Samples that the recipe asks for; 0 if it cannot be known."""
        found = self.recipe.get("samples")
        return found if isinstance(found, int) else 0

    @property
    def environment(self) -> Mapping[str, Any]:
        """Where it was trained: processor, device, precision, torch, threads, ..."""
        return {key: value for key, value in self.meta.get("environment", {}).items() if not key.startswith("plugin ")}

    @property
    def plugins(self) -> Mapping[str, Any]:
        """Distributions that the recipe came from, with their versions."""
        told = self.meta.get("environment", {})
        found = {key.removeprefix("plugin "): value for key, value in told.items() if key.startswith("plugin ")}
        return found or table(self.recipe, "plugins")

    @property
    def losses(self) -> list[str]:
        """Names of what was logged besides the clock, such as D.real."""
        named = {key for line in self.metrics for key in line}
        return sorted(named - {"round", "samples", "time_s", "samples_per_s"})


def gather(path: str | Path, label: str = "") -> Run:
    """Read a run directory. Raises UserError for a folder that is none."""
    directory = RunDir.there(path)
    _refuse_what_is_no_file(directory.path)
    troubles: Troubles = []
    meta, parameters = _checkpoint(directory, troubles)
    recipe = _recipe(directory, meta, troubles)
    metrics = tuple(json_lines(directory.metrics_file, troubles, lambda line: finite(line.get("samples"))))
    last: Mapping[str, Any] = metrics[-1] if metrics else {}
    grids = [(int(file.stem), file) for file in (directory.path / "samples").glob("[0-9]*.png") if file.stem.isdecimal()]
    return Run(
        path=directory.path,
        label=label or directory.path.resolve().name,
        recipe=recipe,
        recipe_text=_text(directory.recipe_file),
        samples=int(meta.get("samples", last.get("samples", 0))),
        time_s=float(seconds if finite(seconds := meta.get("time_s", last.get("time_s"))) else 0),
        meta=meta,
        parameters=parameters,
        metrics=metrics,
        grids=tuple(sorted(grids)),
        evaluations=tuple(evaluations(directory, table(recipe, "evaluations"), troubles)),
        troubles=troubles,
    )


def _refuse_what_is_no_file(folder: Path) -> None:
    """Raise UserError for a pipe, a socket or a device: reading one may wait for ever."""
    for path in folder.rglob("*"):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise UserError(f"{path} is no plain file, and nothing that ganskit made: move it away.")


def _text(file: Path) -> str:
    """What is in the file; nothing if it is no text, which is then among the troubles."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _recipe(directory: RunDir, meta: Mapping[str, Any], troubles: Troubles) -> Mapping[str, Any]:
    """The recipe's table, or, if its file is damaged, the one in the checkpoint."""
    try:
        found = read_table(directory.recipe_file)
    except UserError as error:
        troubles.append(f"recipe.toml: {error}")
        found = {}
    return found or table(meta, "recipe")


def _checkpoint(directory: RunDir, troubles: Troubles) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """What the newest whole checkpoint says of itself, and the number of parameters of each net in it."""
    newest, damaged = checkpoints.newest(directory.checkpoints)
    troubles += [f"checkpoints/{file.name}: its SHA-256 is not the one written beside it, or none is" for file in damaged]
    if newest is None:
        return {}, {}
    try:
        with safe_open(newest, framework="pt") as opened:
            meta = json.loads((opened.metadata() or {}).get("ganskit", "{}"))
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118 - not a dict
        if not isinstance(meta, dict) or any(type(meta.get(key)) is not kind for key, kind in checkpoints.META.items()):
            raise ValueError("this is no checkpoint of ganskit")
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        troubles.append(f"checkpoints/{newest.name}: {one_line(error)}")
        return {}, {}
    return meta, _parameters(shapes)


def _parameters(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Numbers in what the optimizers move; of a net without optimizer state, in all its tensors."""
    moved = {"/".join(path.split("/")[2:-1]) for path in shapes if path.startswith("optim/")}
    nets_moved = {name.partition(".")[0] for name in moved}
    counts: dict[str, int] = {}
    for path, shape in shapes.items():
        kind, _, name = path.partition("/")
        net = name.partition("/")[0]
        if kind == "nets" and (net not in nets_moved or name.replace("/", ".", 1) in moved):
            counts[net] = counts.get(net, 0) + math.prod(shape)
    return counts
