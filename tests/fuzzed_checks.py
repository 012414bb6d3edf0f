"""What a fuzz holds messages, commands and documents to."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from xml.etree import ElementTree

import exit_status
import journals
from markdown_it import MarkdownIt
from pages import Page

from harness import store
from harness.damage import Damage
from harness.types import HarnessError

LONGEST_MESSAGE = 5000
"""Letters of what is told of a file, however large or odd it is."""


def check_message(text: str) -> None:
    """One line that a terminal shows as it is, and that somebody can read."""
    assert 0 < len(text) < LONGEST_MESSAGE, len(text)
    assert text.isprintable(), ascii(text)


@contextlib.contextmanager
def noticed() -> Iterator[list[Damage]]:
    """Nothing but damage may be warned of, and an error of a line may be raised."""
    with warnings.catch_warnings(), journals.noticed(lambda damage: None) as told:
        warnings.simplefilter("error")
        warnings.simplefilter("always", store.DamagedResultsWarning)
        try:
            yield told
        except HarnessError as error:
            check_message(str(error))
        for damage in told:
            check_message(damage.what)


def complaints_of(arguments: Sequence[str]) -> list[str]:
    """What a command complains of; it ends in an exit status that is documented."""
    complaints = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(complaints):
            status = exit_status.of(arguments)
    assert status in (0, 2, 3, 4), (status, complaints.getvalue())
    return complaints.getvalue().splitlines()


class Tags(HTMLParser):
    """Every tag and attribute of a text that may be no whole page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}


def check_document(suffix: str, text: str) -> None:
    """Well-formed, and no text of the input has become a part of its notation."""
    if suffix == ".html":
        page = Page(text)
        assert page.open == []
        assert len(page.scripts) <= 1
        names = {tag for tag, _ in page.tags}
        names |= {name for _, attributes in page.tags for name in attributes}
    elif suffix == ".md":
        names = Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(text)).names
    elif suffix == ".xml":
        names = {element.tag for element in ElementTree.fromstring(text.encode()).iter()}
    else:
        return
    assert "fuzz" not in names
