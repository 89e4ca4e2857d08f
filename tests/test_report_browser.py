"""The pages in a browser: every picture is there, no request leaves them, nothing is too wide, light and dark.

They need Playwright (`pip install ".[dev]"`) and a Chromium: one that is installed, such as Debian's, or Playwright's own.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

import ganskit as package
from ganskit import Evaluator, Result
from ganskit.evaluate.evaluation import evaluate_run
from ganskit.evaluator import Picture
from ganskit.report import compare_runs, report_run
from ganskit.train import resolve

playwright = pytest.importorskip("playwright.sync_api", reason="the pages are opened with Playwright: pip install playwright")

LONG = "a-name-without-any-place-to-break-it-" * 8
ELSEWHERE = "http://127.0.0.1:9/"
HOSTILE = (
    f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="400pt" height="300pt">'
    f'<script>document.title = "ran"; fetch("{ELSEWHERE}fetched")</script>'
    f'<image xlink:href="{ELSEWHERE}image.png" width="9" height="9"/>'
    f'<style>@import url("{ELSEWHERE}style.css"); rect {{ fill: url("{ELSEWHERE}fill.svg#a"); }}</style>'
    f'<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src="{ELSEWHERE}frame"/></foreignObject>'
    f'<rect width="400" height="300" onload="fetch(\'{ELSEWHERE}loaded\')"/></svg>'
)


@frozen
class Wide(Evaluator):
    """Things that do not fit on a phone, and a plot that wants to get out."""

    def evaluate(self, model: package.Model) -> Result:
        x = model.sample(48)
        details = {"rows": [{LONG[:40]: 1, "b": 2}], "list": [1, {}]}
        return Result(
            {LONG: 1.0, "fid": 12.5}, {LONG: LONG, "table": {str(i): {f"c{j}": LONG[:30] for j in range(9)} for i in range(3)}},
            {"wide": Picture(x, 24, LONG), "one": x[:1]}, {"hostile": HOSTILE}, details,
        )  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report, a comparison, and the report of a run that left almost nothing."""
    folder = tmp_path_factory.mktemp("pages")
    small = [
        "samples=160",
        "batch_size=4",
        "data.size=16",
        "data.num_images=16",
        "nets.G.width=4",
        "nets.D.width=4",
        "log_every=2",
    ]
    run = package.run(resolve("dcgan-rooms", settings=small), out=folder / "rooms", device="cpu", progress=False)
    evaluate_run(run, Wide(), name="wide", device="cpu")
    lines = [{"name": "wide", "samples": 40 * i, "numbers": {"fid": 50.0 / i, LONG: i}} for i in range(1, 5)]
    (run / "evaluations.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    other = Path(shutil.copytree(run, folder / LONG[:120]))
    (other / "evaluations/wide/wide.png").write_bytes(b"not a PNG")
    empty = folder / "empty"
    empty.mkdir()
    shutil.copy(run / "recipe.toml", empty)
    made = {"report": report_run(run), "damaged": report_run(other), "empty": report_run(empty)}
    return made | {"compare": compare_runs([run, other, empty], folder / "compare.html")}


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as found:
        if installed is None and not Path(found.chromium.executable_path).exists():
            pytest.skip("there is no Chromium: install one, or run playwright install chromium")
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        opened = found.chromium.launch(executable_path=installed, args=as_root)
        yield opened
        opened.close()


@frozen
class Visit:
    """What happened when a page was opened."""

    requests: list[str]
    said: list[str]
    page: playwright.Page

    def leaving(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


def visit(browser: playwright.Browser, file: Path, width: int = 1280, scheme: str = "light") -> Visit:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, requests, said = context.new_page(), [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.wait_for_load_state("networkidle")
    return Visit(requests, said, page)


NAMES = ["report", "damaged", "empty", "compare"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_all_is_there_and_nothing_leaves(
    pages: dict[str, Path], browser: playwright.Browser, name: str, width: int, scheme: str
) -> None:
    seen = visit(browser, pages[name], width, scheme)
    widths = seen.page.evaluate("[...document.images].map(each => each.naturalWidth)")
    assert all(widths)
    assert (len(widths) > 10) == (name in ("report", "damaged")) or name == "compare"
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert seen.leaving() == []
    assert seen.said == [], "nothing was refused by the page's policy"
    assert seen.page.title() != "ran"
    seen.page.context.close()


def test_the_checks_would_notice(tmp_path: Path, browser: playwright.Browser) -> None:
    """A page that does it wrong: the plot is a part of it, a picture is elsewhere, a box is too wide."""
    bad = tmp_path / "bad.html"
    bad.write_text(f'<meta charset="utf-8"><img src="{ELSEWHERE}x.png"><div style="width: 2000px">{HOSTILE}</div>')
    seen = visit(browser, bad, 360)
    assert {url.removeprefix(ELSEWHERE) for url in seen.leaving()} >= {"x.png", "fetched", "image.png"}
    assert 0 in seen.page.evaluate("[...document.images].map(each => each.naturalWidth)")
    assert seen.page.evaluate("document.documentElement.scrollWidth") > 360
    assert seen.page.title() == "ran"
    seen.page.context.close()


COLOURS = """() => {
    const [ground, ink] = [document.documentElement, document.querySelector("h1")].map(
        (each, i) => getComputedStyle(each)[i ? "color" : "backgroundColor"].match(/\\d+/g).slice(0, 3).map(Number));
    const plot = document.querySelector(".plot img");
    return [ground, ink, getComputedStyle(plot).filter];
}"""


def luminance(colour: list[int]) -> float:
    """WCAG 2.2's relative luminance of an sRGB colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (each / 255 for each in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("medium", ["screen", "print"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_mode_and_paper_is_white(
    pages: dict[str, Path], browser: playwright.Browser, scheme: str, medium: str
) -> None:
    seen = visit(browser, pages["report"], scheme=scheme)
    seen.page.emulate_media(media=medium, color_scheme=scheme)
    ground, ink, turned = seen.page.evaluate(COLOURS)
    dark = scheme == "dark" and medium == "screen"
    assert (luminance(ground) < luminance(ink)) == dark
    light = sorted([luminance(ground) + 0.05, luminance(ink) + 0.05])
    assert light[1] / light[0] > 7, "WCAG 2.2, 1.4.6: a contrast of 7 to 1"
    assert ("invert" in turned) == dark, "plots are made for white"
    seen.page.context.close()
