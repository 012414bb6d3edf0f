"""Where the formats of a command go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.cli.parser.formats import STDOUT
from harness.store.writing import save, writing
from harness.types import UsageError


def write(contents: Iterable[tuple[str, str | bytes]]) -> bool:
    """Each content into the file named before it, or to standard output; all that can be written.

    Returns:
        Whether one went to standard output.

    Raises:
        UsageError: a file cannot be written, or what is no text has none.
    """
    to_stdout = False
    failed: list[UsageError] = []
    for file, content in contents:
        try:
            if file != STDOUT:
                _write(Path(file), content)
            elif isinstance(content, bytes):
                raise UsageError("this format is no text; name a file: --format NAME=FILE")
            else:
                print(content, end="")
                to_stdout = True
        except UsageError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return to_stdout


def _write(file: Path, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode(errors="backslashreplace")
    remedy = "name another file"
    if file.is_symlink() or (file.exists() and not file.is_file()):  # such as /dev/stderr
        with writing(file.parent, remedy):
            file.write_bytes(data)
    else:
        save(file, data, remedy)
