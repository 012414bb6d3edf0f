"""Where commands print to, and how they were called."""

from __future__ import annotations

import shlex
import sys
from functools import partial

from rich.console import Console


def plain(stderr: bool = False) -> Console:
    """A console that shows text as it is."""
    # What is printed comes from data: brackets in a formula or a path are no markup.
    make = partial(Console, highlight=False, markup=False, emoji=False, stderr=stderr)
    console = make()
    # A file or a pipe has no width; rows must not be folded for it.
    return console if console.is_terminal else make(width=200)


def typed() -> str:
    """The arguments as they were typed."""
    # An argument may hold bytes that are no text.
    return shlex.join(sys.argv[1:]).encode(errors="backslashreplace").decode()
