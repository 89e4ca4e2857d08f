"""Pictures of the built site at the sizes of a desk and of a phone, to be looked at by a person.

    pip install playwright      (and a Chromium: `playwright install chromium`, or give --browser)
    mkdocs build && python docs/tools/screenshots.py site pictures

Pages are opened as files, so this also shows whether the site works without a server, search included. It prints requests to
other servers, of which there should be none, and pages that are wider than the screen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
PAGES = (
    "index",
    "first-run",
    "concepts",
    "recipes",
    "recipes/dcgan-lsun",
    "cli",
    "api/losses",
    "api/games",
    "api/train",
    "api/registry",
    "api/testing",
    "plugins/tutorial",
    "plugins/kinds",
    "plugins/game",
    "plugins/dataset",
    "plugins/hooks",
    "plugins/conformance",
    "plugins/entries",
    "plugins/names",
    "plugins/directory",
    "gallery",
)


def shoot(page: Page, site: Path, out: Path, size: str, whole: bool) -> None:
    """Every page, and the results of a search."""
    for name in PAGES:
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_timeout(300)
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if too_wide > 0:
            print(f"{name} at {size}: {too_wide} pixels too wide")
        page.screenshot(path=out / f"{size}-{name.replace('/', '-')}.png", full_page=whole)
    page.goto((site / "index.html").as_uri())
    if size == "phone":
        page.click("label.md-header__button[for=__search]")
    page.locator("input.md-search__input").press_sequentially("learning rate")
    page.wait_for_selector(".md-search-result__item", timeout=10_000)
    page.wait_for_timeout(500)  # until it has opened
    page.screenshot(path=out / f"{size}-search.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--browser", help="the Chromium to start, instead of playwright's own")
    parser.add_argument("--whole", action="store_true", help="whole pages, not only what is seen first")
    parser.add_argument("--dark", action="store_true", help="in dark colours")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=options.browser, args=["--no-sandbox"])
        for size, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if options.dark else "light")
            page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "about:")) else print("asks", r.url))
            page.on("console", lambda message: print(message.type, message.text) if message.type == "error" else None)
            shoot(page, options.site.resolve(), options.out, size, options.whole)
        browser.close()


if __name__ == "__main__":
    main()
