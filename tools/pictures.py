"""Takes the README's pictures of the committed example: `python -m tools.pictures`.

It needs the extra ``browser`` and a Chromium on the path.
"""

from __future__ import annotations

import shutil

from tools.example import REPORTS, ROOT

IMAGES = ROOT / "docs/images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VIEWS = {
    "verdict": ("verdict", "html"),
    "layer": ("attention", "#attention ~ .key, #layer .lengths"),
    "speedup": ("speedups", "#speedups"),
    "framework": ("framework", "#framework .forests"),
    "guard": ("guard", "#guard h2"),
}
"""By the name of a picture, what is open in the page and what stands at its top."""
WIDTH, HEIGHT = 1180, 860
ABOVE = 170
"""Pixels for what stays at the top of the window while a page scrolls."""


def main() -> None:
    """Writes each view in light and in dark."""
    from playwright.sync_api import sync_playwright

    (report,) = (ROOT / REPORTS).glob("*.html")
    program = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for theme in ("light", "dark"):
            for name, (at, top) in VIEWS.items():
                page = browser.new_page(
                    viewport={"width": WIDTH, "height": HEIGHT},
                    color_scheme=theme,
                    reduced_motion="reduce",
                )
                page.goto(f"{report.as_uri()}#at={at}")
                page.wait_for_selector("html[data-ready]", state="attached")
                page.evaluate(
                    "([found, above]) => scrollTo(0, document.querySelector(found)"
                    ".getBoundingClientRect().top + scrollY - above)",
                    [top, ABOVE],
                )
                page.screenshot(path=IMAGES / f"report-{name}-{theme}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
