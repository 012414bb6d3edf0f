"""Where the figures of a report go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.report.figures.dress import narrow
from harness.report.figures.files import FORMATS, file_name, image
from harness.report.figures.whole import Named
from harness.store.writing import make_folder, save, writing


def write(figures: Iterable[Named], folder: Path) -> int:
    """Each figure as PNG, SVG and PDF; returns how many there are.

    Raises:
        UsageError: the folder cannot be written to.
    """
    taken: set[str] = set()
    with writing(folder, "name another folder with --figures"):
        make_folder(folder)
    for named in figures:
        name = file_name(named.parts, taken)
        figure = narrow(named.draw(), named.width)
        for suffix in FORMATS:
            content = image(figure, suffix, name)
            save(folder / f"{name}.{suffix}", content, "name another folder with --figures")
    return len(taken)
