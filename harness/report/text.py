"""Text from anywhere, made fit to be looked at; each layout escapes its own notation besides."""

from __future__ import annotations

import re

CODE = re.compile("`([^`]+)`")
"""What a sentence sets apart as something to type."""
_DEVICE = re.compile("con|prn|aux|nul|(com|lpt)[0-9¹²³]", re.IGNORECASE)


def printable(text: str) -> str:
    """The text without signs that control a terminal or that no drawing can hold.

    Line ends and no-break spaces stay, other white space becomes a space, and all else that has
    no shape a U+FFFD.
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(sign: str) -> str:
    if sign.isprintable() or sign in "\n\u00a0":
        return sign
    return " " if sign.isspace() else "\ufffd"


def no_device(name: str) -> str:
    """The name of a file, or another one in place of what Windows takes for a device.

    There ``con`` is the console whatever follows a dot, in any folder (Microsoft, "Naming Files").
    """
    return f"{name[:3]}_{name[3:]}" if _DEVICE.fullmatch(name.partition(".")[0].strip()) else name


def shortened(text: str, most: int) -> str:
    """The text on one line of so many letters at most."""
    line = " ".join(printable(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
