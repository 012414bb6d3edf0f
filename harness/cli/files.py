"""Where the formats of a command go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.cli.parser.formats import STDOUT
from harness.store.writing import writing
from harness.types import UsageError


def write(contents: Iterable[tuple[str, str | bytes]]) -> bool:
    """Each content into the file named before it, or to standard output.

    Returns:
        Whether one went to standard output.

    Raises:
        UsageError: a file cannot be written, or what is no text has none.
    """
    to_stdout = False
    for file, content in contents:
        if file != STDOUT:
            path = Path(file)
            with writing(path.parent, "name another file"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        elif isinstance(content, bytes):
            raise UsageError("this format is no text; name a file: --format NAME=FILE")
        else:
            print(content, end="")
            to_stdout = True
    return to_stdout
