"""Pages as a browser would see them."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"meta", "wbr", "br", "link", "img", "input", "hr"}
ENDED_BY = {
    "td": {"td", "th", "tr", "/tr", "/thead", "/tbody"},
    "th": {"td", "th", "tr", "/tr", "/thead", "/tbody"},
    "tr": {"tr", "/thead", "/tbody"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd", "/dl"},
}
"""Elements that may go without an end tag, and by what they end then (HTML 13.1.2.4)."""


class Page(HTMLParser):
    """What a browser would see: every tag with its attributes, and the text outside of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end(tag)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._end(f"/{tag}")
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif "style" not in self.open:
            self.text += data

    def _end(self, sign: str) -> None:
        """Ends what has no end tag of its own."""
        while self.open and sign in ENDED_BY.get(self.open[-1], ()):
            self.open.pop()

    def attributes(self, name: str) -> Iterator[str]:
        return (value for _, attrs in self.tags if (value := attrs.get(name)) is not None)

    def drawings(self) -> list[str]:
        return [d for tag, a in self.tags if tag == "svg" and (d := a.get("aria-label"))]
