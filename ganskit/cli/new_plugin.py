"""Writing a new plugin project: a copy of the working one in ganskit/template, under another name."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from ganskit.errors import UserError
from ganskit.plugins import plugins, registry

TEMPLATE = Path(__file__).parent.parent / "template"
DOTTED = {"gitignore": ".gitignore", "github": ".github"}
"""Files that begin with a dot, which tools of packaging like to leave out."""

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}
"""Names that no folder on Windows can have."""


def write_project(name: str, folder: Path) -> Path:
    """Write a project for the distribution `name` into `folder`, which must not exist or be empty. Raises UserError."""
    module = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > 50:
        raise UserError(f'"{name}" is no name for a plugin: expected small letters, digits and single hyphens, like my-gan.')
    if name in RESERVED or _is_installed(name):
        raise UserError(f'"{name}" is taken: choose a name that no installed distribution has.')
    taken = {entry.name.partition(".")[0] for entry in registry().entries()}
    if name in taken:
        raise UserError(f'There are entries called "{name}.something" already, and the plugin\'s would collide with them.')
    if keyword.iskeyword(module):
        raise UserError(f'"{module}" is a word of Python\'s own, and no name for a module: choose another name.')
    if name in {plugin.name for plugin in plugins()}:
        raise UserError(f'A plugin called "{name}" is installed already: choose another name.')
    if module in sys.builtin_module_names or find_spec(module) is not None:
        raise UserError(f'A Python module "{module}" exists already, and the plugin\'s would hide it: choose another name.')
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not empty: give --out a new folder, so that nothing in there is lost.")
    for file in sorted(TEMPLATE.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            parts = [DOTTED.get(part, part).replace("my_gan", module) for part in file.relative_to(TEMPLATE).parts]
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text(encoding="utf-8").replace("my_gan", module).replace("my-gan", name)
            target.write_text(text, encoding="utf-8")
    return folder


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
