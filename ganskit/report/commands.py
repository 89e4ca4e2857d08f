"""The commands that repeat a run and its evaluations."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping
from typing import Any

from ganskit.errors import UserError
from ganskit.recipe import read_toml
from ganskit.report.found import Found
from ganskit.report.gather import Run
from ganskit.report.reading import table, text


def run_command(run: Run) -> tuple[str, str]:
    """The command that trains the recipe again, and "" or why it cannot: it was tried as far as the training itself."""
    file = run.path / "recipe.toml"
    try:
        read_toml(file)
    except UserError as error:
        return "", str(error)
    device = text(run.environment, "device")
    return shlex.join(["ganskit", "run", str(file), *(["--device", device] if device else [])]), ""


def eval_command(run: Run, found: Found) -> str:
    """The command that makes the evaluation again; "" where its evaluator is not registered, or its options are none."""
    options = table(found.record, "evaluator")
    use = text(options, "use")
    if not use or ":" in use:
        return ""
    words = ["ganskit", "eval", str(run.path), use]
    try:
        for key, value in options.items():
            words += ["--set", f"{key}={_toml(value)}"] if key != "use" else []
    except RecursionError:  # nested deeper than any option is
        return ""
    if found.samples is not None and found.samples != run.samples:
        words += ["--checkpoint", str(found.samples)]
    if run.recipe.get("ema") is not None and found.record.get("ema") is False:
        words += ["--no-ema"]
    if found.name != use:
        words += ["--name", found.name]
    return shlex.join(words)


def _toml(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """A value as TOML, in one line."""
    if isinstance(value, Mapping):
        keys = (key if re.fullmatch(r"[\w-]+", key, re.ASCII) else json.dumps(key) for key in value)
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in zip(keys, value.values(), strict=True)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
