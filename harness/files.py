"""Files that may come from anyone: only regular ones are opened, and none is held whole unbounded.

A name may lead to a pipe that nobody writes into, to ``/dev/zero``, or to a file with holes, which
takes no room on a disk and is as long as it says.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MOST = 2**28
"""Bytes of a file that is held as a whole: a plan of a quarter of a million cases has less."""


def check(path: Path) -> None:
    """Refuses what is no regular file, nor a link to one.

    Raises:
        OSError: it is something else, or is not there.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading.

    Raises:
        OSError: it is something else, is not there, or may not be read.
    """
    check(path)
    return path.open("rb")


def read(path: Path, most: int = MOST) -> bytes:
    """The content of a regular file.

    Args:
        path: of the file.
        most: bytes that it can have.

    Raises:
        OSError: as `opened`, or it has more.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most >> 20} MiB", str(path))
        return file.read(size)
