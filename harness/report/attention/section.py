"""The section on attention: what it holds, whichever way it is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from harness.report import caps
from harness.report.attention import advice, charts, crossovers, lines
from harness.report.attention.crossovers import failed_at
from harness.report.attention.heatmap import heatmap
from harness.report.attention.study import (
    DENSE_KINDS,
    FUSED,
    PLAIN,
    ByLength,
    Kind,
    Study,
    named,
    studies,
)
from harness.report.charts import swatch
from harness.report.heatmap import HeatMap
from harness.report.page import Figure
from harness.report.rows import Row
from harness.report.summary import together
from harness.report.table import Table

PARAGRAPHS = (
    "Where a sparse or linear attention beats dense attention on the same inputs. Exact sparse "
    "variants compute what dense attention computes under their mask, and each has a mask of its "
    "own. What approximates dense attention has its error told, which is no failure.",
    "Ratios are of time, or of peak memory, to fused dense attention, with 95 % intervals: below 1 "
    "is better, and what intervals cannot tell apart is tied. Speedups are the time of dense "
    "attention over that of the variant: above 1 is faster. Density is the share of full "
    "attention's scores that count in the result; rounds of hashing and branches add up, to more "
    "than 100 % of a short sequence. “(full)” stands behind a sparse variant whose mask leaves "
    "nothing out at that length, so that it is dense attention there.",
    "A crossover is the length from which on a variant is better. At the first length in brackets "
    "dense attention is better with certainty, at the second the variant is.",
)


@dataclass(frozen=True)
class Block:
    """All of one setting.

    Attributes:
        key: unique in the page.
        studies: a mode each.
        first: whether no setting before is of its framework and device.
        drawn: whether a page has room for its charts; see `harness.report.caps`.
    """

    key: str
    studies: tuple[Study, ...]
    first: bool
    drawn: bool = True

    @property
    def title(self) -> str:
        return self.studies[0].setting.title

    @property
    def base(self) -> str:
        """What speedups and ratios are over."""
        return together(dict.fromkeys(study.base_name for study in self.studies if study.base))

    @property
    def remarks(self) -> list[str]:
        """What a reader must know before reading a figure."""
        return list(_remarks(self.studies))

    @property
    def advice(self) -> dict[str, Table]:
        """By mode."""
        return {study.mode: advice.table(study) for study in self.studies}

    @property
    def crossovers(self) -> Table:
        return crossovers.table(self.studies)

    @property
    def heatmaps(self) -> list[HeatMap]:
        return [found for study in self.studies if study.base and (found := heatmap(study))]

    @property
    def swatches(self) -> list[Figure]:
        """One a kind that is there."""
        styles = lines.looks(self.studies)
        variants = [variant for study in self.studies for variant in study.variants]
        kinds = {v.kind: styles[v.label] for v in reversed(variants)}
        return [
            Figure(str(kind), Markup(swatch(kinds[kind], f"{self.key}-key{index}")))
            for index, kind in enumerate(kind for kind in Kind if kind in kinds)
        ]

    @property
    def charts(self) -> list[Figure]:
        """Latency in each mode side by side, then peak memory, then FLOP/s."""
        return list(_charts(self.studies, self.key))


@dataclass(frozen=True)
class Section:
    """What is told of attention.

    Attributes:
        uncompared: what was measured without dense attention beside it, a sentence a setting.
    """

    blocks: tuple[Block, ...]
    uncompared: tuple[str, ...]
    paragraphs: tuple[str, ...] = PARAGRAPHS

    def __bool__(self) -> bool:
        return bool(self.blocks or self.uncompared)


def section(rows: Sequence[Row]) -> Section:
    """The settings in which attention was measured at two lengths or more."""
    several = [study for study in studies(rows) if len(study.lengths) > 1]
    groups = [tuple(group) for _, group in groupby(several, key=lambda study: study.setting)]
    compared = [group for group in groups if any(study.base for study in group)]
    places = [(s.machine, s.framework, s.device) for s in (g[0].setting for g in compared)]
    first = [places.index(place) == index for index, place in enumerate(places)]
    drawn = sorted(range(len(compared)), key=lambda index: not first[index])[: caps.LENGTHS]
    return Section(
        tuple(
            Block(f"attention{index}", group, first[index], index in drawn)
            for index, group in enumerate(compared)
        ),
        tuple(text for group in groups if group not in compared for text in _uncompared(group)),
    )


def _uncompared(group: Sequence[Study]) -> Iterator[str]:
    names = dict.fromkeys(
        variant.name
        for study in group
        for variant in study.variants
        if any(row.family != "attention" for row in variant.rows.values())
    )
    if names:
        yield (
            f"{together(names)} cannot be compared ({group[0].setting.title}): no dense attention "
            f"was measured there. Add {PLAIN}, and {FUSED[0]} where there is one."
        )


def _remarks(several: Sequence[Study]) -> Iterator[str]:
    if not any(study.plain for study in several):
        yield f"{PLAIN} was not measured here: nothing is held against dense attention written out."
    if not any(study.fused for study in several):
        yield (
            "No fused dense kernel was measured here: ratios and speedups are over "
            f"{PLAIN}, and what would be gained over a fused kernel is not known."
        )
    for study in several:
        for rows in filter(None, (study.plain, study.fused)):
            yield from (f"{named(rows)}, {study.mode}: {text}." for text in _failed(rows))
    if not any(v.kind not in DENSE_KINDS for study in several for v in study.variants):
        yield "No sparse or linear attention was measured here."


def _failed(rows: ByLength) -> Iterator[str]:
    for status, lengths in failed_at(rows).items():
        yield f"{status} at {together(map(str, lengths))}"


def _charts(several: Sequence[Study], key: str) -> Iterator[Figure]:
    styles = lines.looks(several)
    for number, metric in enumerate(lines.METRICS):
        panels = [lines.panel(study, metric) for study in several]
        panels = [panel for panel in panels if any(line.points for line in panel.lines)]
        for panel in panels:
            svg = charts.chart(panel, charts.scale(panels), styles, f"{key}-{number}-{panel.mode}")
            title = f"{metric.title}, {panel.mode}"
            yield Figure(title, Markup(svg), "against sequence length", panel.mode)
