"""Changes to files as a fuzzer makes them: to bytes, to lines, and to what JSON says.

A change is plain data, so that one that broke something can be written down as an example. A
change of what a journal's line says gives the line the checksum that fits, so that it gets past it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from hypothesis import strategies as st

from harness.store.lines import sealed

Files: TypeAlias = Mapping[str, bytes]
"""Contents by path."""
Path: TypeAlias = tuple[str | int, ...]
"""From the root of a JSON document to a value in it; of a journal the first is a line's number."""

MARKER = "\"'><fuzz fuzz=1>&lt;fuzz></script><!--|`\\"
"""Text that is an element named fuzz, or ends what it is in, wherever it is not escaped."""

NUMBERS = (
    *(0, 1, -1, 2, 7, 1024, 2**31, 2**53, 2**63 - 1, 2**63, 10**19, -(2**63), 10**400),
    *(0.0, -0.0, 0.5, -0.5, 1e-12, 1e-9, 1e-3, 1.0, 1e9, 1e18, 1e30, 1e31, 1e308, 5e-324),
    *(float("nan"), float("inf"), -float("inf")),
)
TEXTS = (
    *("", MARKER, "../../fuzz", "/tmp/fuzz", "CON", "a/b", "..", "NaN", "1", "None", "true"),
    *(
        "\ud800",
        "\x00",
        "a\nb",
        "a\r\nb",
        "\x1b[31mred",
        "\u202eflipped",
        "x" * 5000,
        "=1+1",
        "$x$",
    ),
    *("ok", "oom", "error", "latency", "memory", "torch", "cpu", "train", "compiled", "bfloat16"),
    *("2026-11-20T10:00:00+00:00", "9999-12-31", "tokens=16384", "_nolegend_", "{{ 7 }}"),
)
NOT_JSON = (LookupError, TypeError, ValueError, AttributeError)
"""Of a file that an earlier change made something else of, or a place that it took away."""
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXTS),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*TEXTS[:4], "a", "name"]) | st.text(max_size=3), inner),
    ),
    max_leaves=4,
)
"""Whatever JSON can say, hostile things more often than not."""


@dataclass(frozen=True)
class Set:
    """Puts a value in the place of another one, which may be new."""

    file: str
    path: Path
    value: Any

    def __call__(self, files: Files) -> Files:
        def changed(holder: Any, name: Any) -> None:
            holder[name] = copy.deepcopy(self.value)

        return _edited(files, self.file, self.path, changed)


@dataclass(frozen=True)
class Remove:
    """Takes a value away."""

    file: str
    path: Path

    def __call__(self, files: Files) -> Files:
        def changed(holder: Any, name: Any) -> None:
            del holder[name]

        return _edited(files, self.file, self.path, changed)


@dataclass(frozen=True)
class Everywhere:
    """Puts a value in the place of an equal one of that name, in each file: a plan still fits."""

    name: str
    old: Any
    new: Any

    def __call__(self, files: Files) -> Files:
        def walk(value: Any) -> None:
            for name, inner in _items(value):
                if name == self.name and inner == self.old:
                    value[name] = copy.deepcopy(self.new)
                walk(inner)

        def changed(file: str) -> bytes:
            document = _document(files[file], file)
            walk(document)
            return _content(document, file)

        try:
            return {file: changed(file) for file in files}
        except NOT_JSON:
            return files


@dataclass(frozen=True)
class Put:
    """Bytes in the place of so many others, anywhere: a flip, a cut, an insertion or a splice."""

    file: str
    place: int
    length: int
    content: bytes

    def __call__(self, files: Files) -> Files:
        old = files[self.file]
        place = self.place % (len(old) + 1)
        return {**files, self.file: old[:place] + self.content + old[place + self.length :]}


@dataclass(frozen=True)
class Flip:
    """One bit."""

    file: str
    place: int
    bit: int

    def __call__(self, files: Files) -> Files:
        content = bytearray(files[self.file])
        if content:
            content[self.place % len(content)] ^= 1 << self.bit
        return {**files, self.file: bytes(content)}


@dataclass(frozen=True)
class Cut:
    """All from there on."""

    file: str
    place: int

    def __call__(self, files: Files) -> Files:
        old = files[self.file]
        return {**files, self.file: old[: self.place % (len(old) + 1)]}


@dataclass(frozen=True)
class CopyLine:
    """A line, or a part of it, once more somewhere else."""

    file: str
    line: int
    to: int
    most: int

    def __call__(self, files: Files) -> Files:
        lines = files[self.file].splitlines(keepends=True)
        if lines:
            copied = lines[self.line % len(lines)][: self.most]
            lines.insert(self.to % (len(lines) + 1), copied)
        return {**files, self.file: b"".join(lines)}


@dataclass(frozen=True)
class DropLine:
    """A line."""

    file: str
    line: int

    def __call__(self, files: Files) -> Files:
        lines = files[self.file].splitlines(keepends=True)
        if lines:
            del lines[self.line % len(lines)]
        return {**files, self.file: b"".join(lines)}


Change: TypeAlias = Set | Remove | Everywhere | Put | Flip | Cut | CopyLine | DropLine


def applied(changes: list[Change], files: Files) -> Files:
    """The files after all of the changes, one after the other."""
    for change in changes:
        files = change(files)
    return files


def of_bytes(files: Mapping[str, int]) -> st.SearchStrategy[Change]:
    """Changes that know nothing of what the files say.

    Args:
        files: their lengths by name.
    """
    junk = st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [b"\n", b"\r\n", b"\x00" * 64, b"\xff", b"[" * 50_000, b'"', b'{"', MARKER.encode()]
        ),
    )
    within = st.sampled_from(list(files)).flatmap(
        lambda file: st.tuples(st.just(file), st.integers(0, files[file]))
    )
    line = st.integers(0, 40)
    return st.one_of(
        st.builds(lambda at, bit: Flip(*at, bit), within, st.integers(0, 7)),
        st.builds(
            lambda at, length, content: Put(*at, length, content), within, st.integers(0, 40), junk
        ),
        st.builds(lambda at: Cut(*at), within),
        st.builds(CopyLine, st.sampled_from(list(files)), line, line, st.integers(0, 3000)),
        st.builds(DropLine, st.sampled_from(list(files)), line),
    )


def of_json(
    documents: Mapping[str, Any], values: st.SearchStrategy[Any] = VALUES
) -> st.SearchStrategy[Change]:
    """Changes of what JSON files say.

    Args:
        documents: what they say by name; of a journal a list of its records.
        values: what is put into them.
    """
    places = [(file, path) for file in documents for path, _ in _walked(documents[file])]
    # Most of a journal's values are samples; each name is to have its turn.
    by_name: dict[tuple[str, str], list[Path]] = {}
    for file, path in places:
        name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        by_name.setdefault((file, name), []).append(path)
    place = st.sampled_from(list(by_name)).flatmap(
        lambda key: st.tuples(st.just(key[0]), st.sampled_from(by_name[key]))
    )
    known: dict[str, dict[str, Any]] = {}
    for document in documents.values():
        for path, value in _walked(document):
            name = path[-1]
            if isinstance(name, str) and not isinstance(value, dict | list):
                known.setdefault(name, {})[repr(value)] = value
    each = {name: list(found.values())[:8] for name, found in known.items()}
    named = st.sampled_from([(name, value) for name, found in each.items() for value in found])
    elsewhere = st.sampled_from([value for found in each.values() for value in found])
    return st.one_of(
        st.builds(lambda at, value: Set(*at, value), place, values),
        st.builds(lambda at, value: Set(*at, value), place, elsewhere),
        st.builds(lambda at: Remove(*at), place),
        st.builds(lambda old, new: Everywhere(*old, new), named, values),
        st.builds(lambda old, new: Everywhere(*old, new), named, elsewhere),
    )


def documents(files: Files) -> dict[str, Any]:
    """What files say, for `of_json`."""
    return {file: _document(files[file], file) for file in files}


def _document(content: bytes, file: str) -> Any:
    if not file.endswith(".jsonl"):
        return json.loads(content)
    records = []
    for line in content.splitlines():
        record = json.loads(line)
        record.pop("crc32")
        records.append(record)
    return records


def _content(document: Any, file: str) -> bytes:
    # In ASCII, as a lone surrogate has an escape and no bytes.
    if not file.endswith(".jsonl"):
        return json.dumps(document).encode()
    return b"".join(sealed(json.dumps(record).encode()[:-1]) for record in document)


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from list(value.items())
    elif isinstance(value, list):
        yield from list(enumerate(value))


def _walked(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, inner in _items(value):
        yield (*path, name), inner
        yield from _walked(inner, (*path, name))


def _edited(files: Files, file: str, path: Path, change: Callable[[Any, Any], None]) -> Files:
    """The files with one value changed; as they are if another change took its place away."""
    try:
        document = _document(files[file], file)
        holder = document
        for name in path[:-1]:
            holder = holder[name]
        change(holder, path[-1])
    except NOT_JSON:
        return files
    return {**files, file: _content(document, file)}
