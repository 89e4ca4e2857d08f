"""From templates to one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganskit.data.files import write_whole
from ganskit.errors import UserError
from ganskit.report import words
from ganskit.report.curves import COLOURS

if TYPE_CHECKING:
    import jinja2

MARK = '<meta name="generator" content="ganskit'
"""In every page that was made here, near its beginning."""


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - what the template shows
    """The page. Whatever is put into a template is escaped, and the page's own policy forbids scripts and requests."""
    from markupsafe import Markup

    style = files("ganskit.report").joinpath("report.css").read_text(encoding="utf-8")
    style += "".join(f".c{i} {{ background: {colour}; }}\n" for i, colour in enumerate(COLOURS))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = _environment().get_template(template)
    # the style is a file of ours, and escaping would change it
    return page.render(style=Markup(style), policy=policy, version=version("ganskit"), **values)


def _environment() -> jinja2.Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("ganskit.report", "."), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    written = {each.__name__: each for each in (words.number, words.short, words.duration, words.as_table)}
    made.filters |= written | {"as_json": _as_json}
    return made


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def check_out(file: Path) -> None:
    """Raise UserError unless a page can go there: a .html that is new, or a page that was made here."""
    if file.is_dir():
        raise UserError(f"{file} is a folder: the page is one HTML file. Move the folder away, or choose another --out.")
    if file.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{file}: the page is one HTML file, so --out should end in .html.")
    if file.exists() and MARK not in file.read_bytes()[:4096].decode(errors="replace"):
        raise UserError(f"{file} is there already, and ganskit did not make it: give another --out, or move it away.")


def write_page(file: Path, html: str) -> Path:
    """Write the page whole, in a folder that is made if need be; characters that are not Unicode are escaped."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, html.encode("utf-8", "backslashreplace"))
    return file
