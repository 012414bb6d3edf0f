"""What a gate found: pure data, which survives a round trip through JSON unchanged.

Everything that shows or uploads a gate's result starts from an `Outcome`; nothing of it needs the
machine, the frameworks or the code that was compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Self

from harness import faults, files
from harness.gate import untrusted
from harness.stats import Interval
from harness.types import UsageError

SCHEMA = 1
"""Of an outcome's JSON; raised when a reader of the old one would misread."""


class Verdict(StrEnum):
    """What the gate says of one figure, or of a case; worst first."""

    REGRESSION = "regression"
    """More than before, and by more than the threshold as far as can be told."""
    FAILED = "failed"
    """Ran on base; on head it fails, or computes something else."""
    VANISHED = "vanished"
    """In base's plan, and not in head's."""
    INCONCLUSIVE = "inconclusive"
    """Neither a change nor its absence could be shown."""
    IMPROVEMENT = "improvement"
    FIXED = "fixed"
    """Failed on base, and runs on head."""
    NEW = "new"
    """In head's plan only."""
    SAME = "same"
    """Shown to differ by less than the threshold."""
    NOT_COMPARED = "not compared"
    """Ran on neither."""

    @property
    def bad(self) -> bool:
        """Whether it closes the gate."""
        return self in (Verdict.REGRESSION, Verdict.FAILED, Verdict.VANISHED)

    @property
    def compared(self) -> bool:
        """Whether something was set against something."""
        return self not in (Verdict.NEW, Verdict.NOT_COMPARED, Verdict.FIXED)


class Metric(NamedTuple):
    """A figure that is gated.

    Attributes:
        name: in prose.
        unit: ``s``, ``bytes``, or a noun in the plural for a count.
        exact: the same code gives the same figure each time, so any rise is one.
    """

    name: str
    unit: str
    exact: bool

    @property
    def felt(self) -> bool:
        """Whether it is time or memory, and not a count that may explain them."""
        return self.unit in ("s", "bytes")


METRICS: Mapping[str, Metric] = {
    "latency": Metric("latency", "s", False),
    "first_call": Metric("first call", "s", False),
    "peak_memory": Metric("peak memory", "bytes", False),
    "allocated": Metric("allocated at the peak", "bytes", True),
    "parameters": Metric("parameters and state", "bytes", True),
    "flops": Metric("declared work", "FLOP", True),
    "operators": Metric("operators", "operators", True),
    "kernels": Metric("kernels", "kernels", True),
}
"""By key. Of all, less is better."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure of one case, base beside head.

    Attributes:
        metric: key of `METRICS`.
        base, head: SI units; None where there is no such figure, as of a peak too small to read.
        ratio: head over base, with its 95 % interval; the interval is the value where exact.
        visible: the smallest relative change, 0.05 for 5 %, that would most likely have been
            found here; None where nothing can be said.
        pairs: fresh pairs of processes behind the ratio; 0 where exact.
        verdict: of this figure.
        base_interval, head_interval: of times; None where a figure is exact, and in outcomes that
            were written before these were kept.
    """

    metric: str
    base: float | None
    head: float | None
    ratio: Interval | None
    visible: float | None
    pairs: int
    verdict: Verdict
    base_interval: Interval | None = None
    head_interval: Interval | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        if data["metric"] not in METRICS:
            raise ValueError(f"unknown metric {data['metric']!r}")
        return cls(
            metric=str(data["metric"]),
            base=untrusted.figure(data["base"]),
            head=untrusted.figure(data["head"]),
            ratio=untrusted.interval(data["ratio"]),
            visible=untrusted.optional(data["visible"]),
            pairs=untrusted.count(data["pairs"]),
            verdict=Verdict(data["verdict"]),
            base_interval=untrusted.interval(data.get("base_interval")),
            head_interval=untrusted.interval(data.get("head_interval")),
        )


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What became of one case.

    Attributes:
        case: its id.
        verdict: the worst of its findings, or what its statuses say.
        base_status, head_status: as in `harness.types.Status`; empty if not in that side's plan.
        reason: a sentence, if it failed or was not compared.
        findings: latency first.
    """

    case: str
    verdict: Verdict
    base_status: str
    head_status: str
    reason: str = ""
    findings: tuple[Finding, ...] = ()

    def finding(self, metric: str) -> Finding | None:
        """That of one metric."""
        return next((found for found in self.findings if found.metric == metric), None)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            case=str(data["case"]),
            verdict=Verdict(data["verdict"]),
            base_status=str(data["base_status"]),
            head_status=str(data["head_status"]),
            reason=str(data["reason"]),
            findings=tuple(map(Finding.from_json, untrusted.items(data["findings"]))),
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that were compared.

    Attributes:
        given: as it was named: a branch, a folder, an interpreter.
        commit: the full hash; empty where there is none.
        dirty: whether tracked files differ from that commit.
        python: version of the interpreter.
        versions: by framework, and by package that its layers are made with.
    """

    given: str
    commit: str = ""
    dirty: bool = False
    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            given=str(data["given"]),
            commit=str(data["commit"]),
            dirty=bool(data["dirty"]),
            python=str(data["python"]),
            versions={str(name): str(version) for name, version in data["versions"].items()},
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of the gate found.

    Attributes:
        base, head: what was compared.
        threshold: the smallest relative change that counts, 0.05 for 5 %.
        error_rate: at most this is the chance of any false regression or improvement in latency.
        started_at: ISO 8601, UTC.
        seconds: what it took.
        budget_s: what it was allowed; None for no limit.
        machine: see `harness.devices.machine.describe`.
        command: what to type to do it again.
        cases: in the order of head's plan, then what only base had.
        notes: sentences on what went otherwise than planned.
    """

    base: Side
    head: Side
    threshold: float
    error_rate: float
    started_at: str
    seconds: float
    budget_s: float | None
    machine: Mapping[str, Any]
    command: str
    cases: tuple[CaseOutcome, ...]
    notes: tuple[str, ...] = ()

    def of(self, *verdicts: Verdict) -> list[CaseOutcome]:
        """The cases with one of these verdicts."""
        return [case for case in self.cases if case.verdict in verdicts]

    @property
    def bad(self) -> list[CaseOutcome]:
        """The cases that close the gate."""
        return [case for case in self.cases if case.verdict.bad]

    @property
    def compared(self) -> list[CaseOutcome]:
        """The cases of which something was set against something."""

        def both(case: CaseOutcome) -> bool:
            return any(None not in (found.base, found.head) for found in case.findings)

        return [c for c in self.cases if c.verdict.bad or (c.verdict.compared and both(c))]

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}

    def to_text(self) -> str:
        """JSON in ASCII: a branch's name may be no text, and nothing can act on a terminal."""
        return json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_text(cls, text: str | bytes) -> Self:
        """The outcome that `to_text` gave, from a file, which may come from anyone.

        Raises:
            UsageError: it is none.
        """
        try:
            return cls.from_json(untrusted.loads(text))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"not the result of a gate: {faults.told(error)}") from error

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Likewise, as a file.

        Raises:
            UsageError: it holds none.
            OSError: it cannot be read.
        """
        try:
            return cls.from_text(files.read(path))
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The outcome that `to_json` gave.

        Raises:
            UsageError: it is none.
        """
        try:
            if data["schema"] != SCHEMA:
                raise ValueError(f"schema {data['schema']!r}, this layerbench reads {SCHEMA}")
            return cls(
                base=Side.from_json(data["base"]),
                head=Side.from_json(data["head"]),
                threshold=untrusted.number(data["threshold"]),
                error_rate=untrusted.number(data["error_rate"]),
                started_at=str(data["started_at"]),
                seconds=untrusted.number(data["seconds"]),
                budget_s=untrusted.optional(data["budget_s"]),
                machine=dict(untrusted.facts(data["machine"])),
                command=str(data["command"]),
                cases=tuple(map(CaseOutcome.from_json, untrusted.items(data["cases"]))),
                notes=tuple(map(str, untrusted.items(data["notes"]))),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise UsageError(f"not the result of a gate: {faults.told(error)}") from error


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The one that comes first in `Verdict`; ``not compared`` of none."""
    return min(verdicts, key=list(Verdict).index, default=Verdict.NOT_COMPARED)
