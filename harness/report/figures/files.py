"""Figures as files: PNG, SVG and PDF, the same bytes each time, under names that any disk takes."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from harness.report.text import no_device

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
COLUMN, PAGE = 252.0, 516.0
"""One and two columns of a paper, 3.5 and 7.16 inches, in points: what IEEE's journals ask for
(IEEE Author Center, "Resolution and size")."""

_DPI = 300
_CHANGING = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}
"""What matplotlib would write of the moment, or of itself."""
_UNSAFE = re.compile(r"[^a-z0-9_.=]+")
_LONGEST = 120
"""Letters of a name: with a number and a suffix less than the 143 that encrypted disks take."""


def image(figure: Figure, suffix: str, name: str) -> bytes:
    """The content of a file, on white; text stays text, in a PDF as TrueType.

    Args:
        figure: what to write.
        suffix: one of `FORMATS`.
        name: that the file gives itself.
    """
    import matplotlib as mpl

    for artist in figure.findobj(lambda artist: artist.get_gid() is not None):
        artist.set_gid(None)  # what a page shows on hovering is no id
    buffer = io.BytesIO()
    metadata = {"Title": name, _CHANGING[suffix]: None}
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "pdf.fonttype": 42}):
        figure.savefig(buffer, format=suffix, dpi=_DPI, facecolor="white", metadata=metadata)
    return buffer.getvalue()


def file_name(parts: tuple[str, ...], taken: set[str]) -> str:
    """``lstm-latency-train-seq``: small letters that are safe on any disk, and not used before.

    Args:
        parts: of the name; may hold anything.
        taken: the names so far, to which this one is added.
    """
    safe = (_UNSAFE.sub("-", part.lower()).strip("-.") for part in parts)
    name = no_device("-".join(filter(None, safe))[:_LONGEST].rstrip("-.") or "figure")
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}-{number}"
    taken.add(unique)
    return unique
