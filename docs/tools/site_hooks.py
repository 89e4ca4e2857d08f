"""What MkDocs does beyond its plugins: equations become MathML, pictures load when they are seen and keep their place."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """```math fences, which GitHub draws by itself, are equations here, too."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", [])
    fences.append({"name": "math", "class": "math", "format": equation})
    return config


def equation(source: str, language: str, css_class: str, options: object, md: object, **more: object) -> str:
    """A fence as MathML, which browsers draw without a script. Raises PluginError for LaTeX that is not understood."""
    mathml = convert(source.strip(), display="block")
    try:
        text = "".join(ET.fromstring(mathml).itertext())
    except ET.ParseError as error:
        raise PluginError(f"This equation cannot be drawn ({error}): {source}") from error
    if "\\" in text:
        raise PluginError(f"latex2mathml does not know a command of this equation: {source}")
    mathml = re.sub(r"(<mi>(?:log|exp|min|max)</mi>)", r'\1<mspace width="0.17em"/>', mathml)  # TeX's space after them
    return f'<div class="{css_class}">{mathml}</div>'


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Every picture says its size, so that the text does not jump when it comes, and comes when it is scrolled to."""

    def with_size(found: re.Match[str]) -> str:
        file = Path(config.docs_dir, page.file.src_uri).parent / found[1]
        if file.suffix != ".png" or not file.is_file():
            return found[0]
        width, height = struct.unpack(">II", file.read_bytes()[16:24])
        size = "" if " width=" in found[0] else f' width="{width}" height="{height}"'
        return f'{found[0]} loading="lazy"{size}'

    return re.sub(r'<img[^>]* src="([^"]+)"[^>/]*', with_size, html)
