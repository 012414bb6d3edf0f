"""What the system says against a folder, told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.types import UsageError


@contextmanager
def writing(folder: Path, remedy: str) -> Iterator[None]:
    """For as long as files are written to a folder.

    Args:
        folder: it, or one above.
        remedy: what to do if that cannot be done.

    Raises:
        UsageError: it cannot.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write to {folder} ({error.strerror}); {remedy}") from error
    except ValueError as error:  # a name that no file can have
        raise UsageError(f"cannot write to {folder} ({error}); {remedy}") from error
