"""A browser, pages opened in it as a reader would, and what each of them asked for.

Chromium is the system's own, driven by Playwright; axe-core comes from npm. A test that needs what
is not here is skipped, and says what to install.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HERE = Path(__file__).parent
INSTALL_S = 100


@dataclass
class Visit:
    """A page that was opened, and what came of it.

    Attributes:
        page: Playwright's.
        address: the file's.
        requests: every address that was asked for.
        errors: what the console or the page complained of, and dialogs that opened.
    """

    page: Any
    address: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Nothing but the file was asked for, and nothing went wrong."""
        assert {request.partition("#")[0] for request in self.requests} == {self.address}
        assert self.errors == []


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium, without a window."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is missing: pip install 'layerbench[browser]'"
    )
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip(f"no Chromium: none of {', '.join(CHROMIUM)} is on the path")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found)
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The script of axe-core, as locked in package-lock.json."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing, which axe-core is installed with")
    locked = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    assert pytestconfig.cache is not None, "pytest's cache is switched off"
    folder = Path(pytestconfig.cache.mkdir(f"axe-core-{locked}"))
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not install axe-core within {INSTALL_S} s")
        if done.returncode or not script.exists():
            pytest.skip(f"npm cannot install axe-core: {done.stderr.strip()[:200]}")
    return script.read_text(encoding="utf-8")


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Opens a file, in a profile of its own; afterwards nothing must have been fetched."""
    visits: list[Visit] = []

    def opened(
        file: Path,
        fragment: str = "",
        *,
        width: int = 1280,
        scheme: str = "light",
        javascript: bool = True,
        script: str = "",
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        if script:
            context.add_init_script(script)
        visited = Visit(context.new_page(), file.as_uri())
        visits.append(visited)
        page = visited.page
        page.on("request", lambda request: visited.requests.append(request.url))
        page.on("pageerror", lambda error: visited.errors.append(str(error)))
        page.on("dialog", lambda dialog: _refuse(dialog, visited.errors))
        page.on("console", lambda said: _note(said, visited.errors))
        page.goto(f"{visited.address}{fragment}")
        if javascript:
            page.wait_for_selector("html[data-ready]", state="attached")
        return visited

    yield opened
    for visited in visits:
        visited.page.context.close()
    for visited in visits:
        visited.check()


def _refuse(dialog: Any, errors: list[str]) -> None:
    errors.append(f"dialog: {dialog.message}")
    dialog.dismiss()


def _note(said: Any, errors: list[str]) -> None:
    if said.type in ("error", "warning"):
        errors.append(f"{said.type}: {said.text}")
