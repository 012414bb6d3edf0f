"""What a worker says: read as it comes, and no more of it held than is of use.

A layer can write to every descriptor of its process, as much as it likes. What it writes costs
neither memory here nor room on the disk beyond the limits below.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from io import BufferedReader
from pathlib import Path

LONGEST_ANSWER = 2**25
"""Bytes. The longest is a profile's: a hundred bytes for each operator and each allocation."""
WORKER_LOG = 2**20
"""Bytes of what one worker says that its log keeps; what else there is to know is in the rows."""
LONGEST_LOG = 2**25
"""Bytes of one log, which the workers of a bench write one after the other."""
_LAST_WORDS = 20_000
_CHUNK = 2**16
_CUT = b"\n[what this worker said after this is not kept]\n"


class Answers:
    """Lines, one at a time: the next is read when this one has been taken."""

    def __init__(self, stream: BufferedReader) -> None:
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=1)
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def _read(self, stream: BufferedReader) -> None:
        with stream:
            while line := stream.readline(LONGEST_ANSWER):
                self._lines.put(line)
        self._lines.put(b"")

    def take(self, timeout_s: float) -> bytes:
        """A line, of which a long one is only the beginning; empty at the end.

        Raises:
            queue.Empty: there is none within `timeout_s`.
        """
        return self._lines.get(timeout=max(0.0, timeout_s))

    def end(self, timeout_s: float) -> None:
        """Throws away what nobody asked for, once the other end is closed."""
        deadline = time.monotonic() + timeout_s
        while self._reader.is_alive() and time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                self.take(0.05)


class Log:
    """Free text: its beginning goes into a file, its end stays in memory."""

    def __init__(self, stream: BufferedReader, path: Path) -> None:
        file = path.open("ab", buffering=0)
        room = min(WORKER_LOG, LONGEST_LOG - file.tell())
        self._end = b""
        self._reader = threading.Thread(target=self._read, args=(stream, file, room), daemon=True)
        self._reader.start()

    def _read(self, stream: BufferedReader, file: BufferedReader, room: int) -> None:
        with stream, file:
            while said := stream.read1(_CHUNK):
                self._end = (self._end + said)[-_LAST_WORDS:]
                if room > 0:
                    kept = said[:room] + _CUT * (len(said) >= room)
                    room -= len(said)
                    with contextlib.suppress(OSError):  # the disk may be full; rows tell enough
                        file.write(kept)

    def forget(self) -> None:
        """What has been said so far is no longer among the last words."""
        self._end = b""

    def last_words(self) -> list[str]:
        """The last lines."""
        return self._end.decode(errors="replace").strip().splitlines()

    def end(self, timeout_s: float) -> None:
        """Waits for what is still to come, once the other end is closed."""
        self._reader.join(timeout_s)
