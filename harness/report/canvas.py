"""What all drawings share: colours and markers, plain logarithmic axes, round ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.report.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1f2933", "#5b6770", "#dde3e8", "#fefefe"
HUES = ("#bf5614", "#0074d6", "#1b825b", "#9f3c77", "#574a01", "#084eb6")
"""Near to vermilion, blue and bluish green of Okabe and Ito (2008), and to purple, olive and a dark
blue: so far from each other that people with any kind of colour blindness can tell them apart, and
dark enough for names to have a contrast of 4.5 on paper (WCAG 2.2, 1.4.3). Markers differ too."""
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    **{hue: f"--hue-{index}" for index, hue in enumerate(HUES)},
}
MARKERS = "osD^vP"
DASHES = {"eager": "-", "compiled": (0, (4, 2)), "compiled-xla": (0, (1, 1.5))}

FONT_SIZE = 11.5
LETTER = 0.62 * FONT_SIZE
"""About how wide a letter is, in points."""


@dataclass(frozen=True)
class Style:
    """How one series looks everywhere: colour and marker by framework, dash by execution."""

    colour: str
    marker: str
    dash: Any
    filled: bool

    @property
    def face(self) -> str:
        return self.colour if self.filled else PAPER


def styles(series: Mapping[str, tuple[str, str]]) -> dict[str, Style]:
    """A style for each series, from the group (framework, and machine) and execution it is of.

    Of as many groups as there are pairs of a hue and a marker no two look alike: where the hues
    begin again, the markers are another one on.
    """
    groups = list(dict.fromkeys(group for group, _ in series.values()))
    return {
        name: Style(
            HUES[groups.index(group) % len(HUES)],
            MARKERS[sum(divmod(groups.index(group), len(HUES))) % len(MARKERS)],
            DASHES.get(execution, "-"),
            filled=execution == "eager",
        )
        for name, (group, execution) in series.items()
    }


def canvas(
    width: float, height: float, margins: tuple[float, float, float, float]
) -> tuple[Figure, Axes]:
    """A figure of that many points with one plain pair of axes.

    The margins are left, right, top, bottom.
    """
    from matplotlib.figure import Figure

    left, right, top, bottom = margins
    figure = Figure(figsize=(width / 72, height / 72))
    axes = figure.add_axes(
        (left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height)
    )
    axes.grid(visible=True, color=GRID, linewidth=0.7, clip_on=False, solid_capstyle="butt")
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=FONT_SIZE, labelcolor=INK)
    return figure, axes


def set_ticks(
    axes: Axes, which: str, values: Iterable[float], text: Callable[[float], str]
) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    kept = list(values)
    axis.set_major_locator(FixedLocator(kept))
    axis.set_major_formatter(FixedFormatter([text(value) for value in kept]))
    axis.set_minor_locator(NullLocator())


def label(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    coordinates: tuple[str, str],
    shift: tuple[float, float],
    align: str,
    colour: str = MUTED,
    size: float = FONT_SIZE - 1.5,
) -> None:
    """Text beside a place, shifted by points; taken as it is, so that ``$`` starts no formula."""
    axes.annotate(
        printable(text),
        at,
        shift,
        coordinates,
        "offset points",
        ha=align,
        va="center",
        color=colour,
        size=size,
        parse_math=False,
    )


def round_values(low: float, high: float, *, binary: bool, most: int = 7) -> list[float]:
    """Up to ``most`` round values between two limits, for a logarithmic axis."""
    if binary:
        exponents = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
        stride = math.ceil(len(exponents) / most)
        return [2.0**exponent for exponent in exponents if exponent % stride == 0]
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    fine = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    inside = [value for value in fine if low <= value <= high]
    if len(inside) <= most:
        return inside
    stride = math.ceil(len(decades) / most)
    return [10.0**decade for decade in decades if decade % stride == 0 and low <= 10.0**decade]


def spaced(ticks: Sequence[int], width: float, side: float) -> list[int]:
    """The ticks, from the last one down, whose labels do not run into each other.

    Args:
        ticks: rising, for a logarithmic axis.
        width: of the axis, in points.
        side: how far the axis goes beyond its outer ticks, as a share of their distance.
    """
    point = math.log(ticks[-1] / ticks[0]) * (1 + 2 * side) / width
    kept = [ticks[-1]]
    for tick in reversed(ticks[:-1]):
        needed = (len(str(tick)) + len(str(kept[-1]))) / 2 * LETTER + LETTER
        if math.log(kept[-1] / tick) >= needed * point:
            kept.append(tick)
    return kept


def marker(style: Style) -> dict[str, Any]:
    return {
        "color": style.colour,
        "marker": style.marker,
        "markersize": 5.5,
        "markerfacecolor": style.face,
        "markeredgewidth": 1.4,
        "linestyle": "none",
        "clip_on": False,
    }
