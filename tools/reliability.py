"""Makes docs/reliability.md of the tests that prove it: `python -m tools.reliability`.

Each test of a fault is marked with what goes wrong and what comes of it; see CONTRIBUTING.md.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("docs/reliability.md")
MARK = "fault"
INTRODUCTION = """\
# Faults, and what comes of them

Each line is a fault that a test injects, and what that test then finds. The page is made of the
tests (`python -m tools.reliability`, which a test holds it to), so it tells neither more nor less
than they do. Most faults are injected into a real worker process that measures layers of the fake
framework, those with a name in the last column into real frameworks. How runs, workers and files
are kept whole is told in [method.md](method.md) and [columns.md](columns.md).
"""


class Collection:
    """A plugin of pytest that keeps what was collected.

    Attributes:
        items: the tests, once pytest has run.
    """

    def __init__(self) -> None:
        self.items: Sequence[pytest.Item] = ()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Called by pytest with everything collected."""
        self.items = session.items


def render() -> str:
    """The page, of the tests as they are now.

    Raises:
        RuntimeError: pytest cannot collect them.
    """
    found = Collection()
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        folder = str(ROOT / "tests" / "faults")
        status = pytest.main(
            ["--collect-only", "--quiet", "-p", "no:cacheprovider", folder], [found]
        )
    if status != pytest.ExitCode.OK:
        raise RuntimeError(told.getvalue())
    sections: dict[str, dict[tuple[str, str], list[str]]] = {}
    for item in found.items:
        for mark in item.iter_markers(MARK):
            fault, outcome = mark.args
            lines = sections.setdefault(_heading(item), {})
            frameworks = lines.setdefault((fault, outcome), [])
            if (name := mark.kwargs.get("by", "")) and name not in frameworks:
                frameworks.append(name)
    return "\n".join([INTRODUCTION, *(_section(*section) for section in sections.items())])


def _heading(item: pytest.Item) -> str:
    module = item.getparent(pytest.Module)
    assert module is not None
    return (inspect.getdoc(module.obj) or "").partition("\n")[0].removesuffix(".")


def _section(heading: str, lines: Mapping[tuple[str, str], Sequence[str]]) -> str:
    return "\n".join([f"## {heading}", "", *_table(lines), ""])


def _table(lines: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[str]:
    yield "| What goes wrong | What comes of it | Real frameworks |"
    yield "|---|---|---|"
    for (fault, outcome), frameworks in lines.items():
        cells = (fault, f"{outcome[0].upper()}{outcome[1:]}", ", ".join(frameworks))
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def main() -> None:
    """Writes the page, or to standard output with ``-``."""
    text = render()
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(text)
    else:
        (ROOT / PAGE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
