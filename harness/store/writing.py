"""Files written for good: whole or not at all, and on the disk; and refusals told in a line."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.types import UsageError


def save(path: Path, content: str | bytes, remedy: str) -> None:
    """Makes a file, or puts it in the place of another one, and its folder if need be.

    Args:
        path: of the file.
        content: text becomes UTF-8.
        remedy: what to do if that cannot be done.

    Raises:
        UsageError: it cannot; what was there before is as it was.
    """
    with writing(path.parent, remedy):
        make_folder(path.parent)
        write_atomically(path, content.encode() if isinstance(content, str) else content)


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


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file so that a reader sees the old content or the new, and so does a power cut.

    What a crash in the middle leaves, a hidden file beside it, is gone with the next try. A link
    of that name is replaced and not followed.
    """
    partial = path.with_name(f".{path.name}.partial")
    with _opened(path.parent) as folder:
        if folder is not None:  # one writer at a time, as all would use the same partial file
            lock(folder, wait=True)
        try:
            partial.unlink(missing_ok=True)
            with partial.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:  # a full disk, Ctrl-C
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        _sync(folder)


def remove_partial(folder: Path) -> None:
    """Removes what crashes in the middle of `write_atomically` have left in a folder, if it can."""
    for partial in folder.glob(".*.partial"):
        with contextlib.suppress(OSError):
            partial.unlink()


def make_folder(folder: Path) -> None:
    """Makes a folder, and what is missing above it, so that a power cut leaves them there."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_names(path.parent)


def sync_names(folder: Path) -> None:
    """Returns when the names of the files in a folder are on the disk, with or without contents."""
    with _opened(folder) as descriptor:
        _sync(descriptor)


@contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    """The folder's descriptor, or None where there is none to be had, as on Windows."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # what is done to it next tells why
        descriptor = None
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _sync(descriptor: int | None) -> None:
    if descriptor is None:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems without it
            raise


def lock(descriptor: int, wait: bool = False) -> bool:
    """Takes a file or folder for this process, until it is closed or the process ends.

    Returns whether it is ours: always on a file system without locks.
    """
    if sys.platform == "win32":
        import msvcrt

        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True
