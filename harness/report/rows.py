"""A frame's rows as the reports read them: typed, and None where a figure is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from harness import units
from harness.compare import configuration, configuration_order, latest, values
from harness.stats import Interval
from harness.types import MODES, Status

if TYPE_CHECKING:
    import pandas as pd

Setting: TypeAlias = tuple[str, str, int, str]
"""What is neither layer, mode nor size: device, dtype, threads and parameters."""

NOT_MEASURED = (Status.UNSUPPORTED, Status.NOT_APPLICABLE)
"""Statuses of cases that were never meant to give a figure."""
_NUMBERS = (int, float)
MEMORY_PARTS = {
    "parameters": "parameter_bytes",
    "inputs": "input_bytes",
    "outputs": "output_bytes",
    "saved for backward": "saved_bytes",
    "workspace": "workspace_bytes",
}
"""What memory is for, in words, and the column that tells how much of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case and what came of it. Times in seconds, sizes in bytes, rates a second."""

    case_id: str
    layer: str
    family: str
    framework: str
    framework_version: str
    device: str
    mode: str
    execution: str
    dtype: str
    threads: int
    batch: int
    seq: int | None
    parameters: Mapping[str, Any]
    model: str
    model_batch: int
    occurrences: int
    """0 where the case is of no model."""
    status: str
    reason: str
    latency: Interval | None
    p90_s: float | None
    first_call_s: float | None
    device_time_s: float | None
    samples: int
    disturbed: float | None
    passes: int
    converged: bool
    warmed: bool
    peak_memory_bytes: float | None
    memory_method: str
    peak_allocated_bytes: float | None
    parameter_bytes: float | None
    throughput_per_s: float | None
    tokens_per_s: float | None
    flops: float | None
    flop_per_s: float | None
    intensity: float | None
    roofline_fraction: float | None
    bound: str
    parity_error: float | None
    approximation_error: float | None
    density: float | None
    audit: tuple[str, ...]
    memory_parts: dict[str, float]
    """Of what is allocated at the peak, those of `MEMORY_PARTS` that are known."""
    execution_path: str
    operators: float | None
    kernels: float | None
    conversions: float | None
    warnings: tuple[str, ...]
    machine_id: str
    run_id: str
    one_machine: bool
    """Whether all rows of the frame are of this row's machine, so that none need name it."""

    @property
    def configuration(self) -> str:
        return configuration(self.framework, self.execution)

    @property
    def source(self) -> str:
        """The framework, and the machine if there are several."""
        return self.framework + machine_suffix(self.machine_id, one_machine=self.one_machine)

    @property
    def series(self) -> str:
        """What this row's line in a chart and its column in a table are called."""
        return self.configuration + machine_suffix(self.machine_id, one_machine=self.one_machine)

    @property
    def failed(self) -> bool:
        return self.status != Status.OK and self.status not in NOT_MEASURED

    @property
    def peak_memory(self) -> str:
        return units.peak_memory(self.peak_memory_bytes, self.memory_method)

    @property
    def memory_below_resolution(self) -> bool:
        """Whether the peak was read, and is less than can be told from nothing."""
        return self.peak_memory_bytes is None and self.peak_memory != units.MISSING

    @property
    def params(self) -> str:
        """``units=256, bias=True``."""
        return ", ".join(f"{name}={value}" for name, value in self.parameters.items())

    @property
    def setting(self) -> Setting:
        return self.device, self.dtype, self.threads, self.params

    @property
    def shape(self) -> str:
        """``b32 s128``."""
        return f"b{self.batch}" if self.seq is None else f"b{self.batch} s{self.seq}"


def read(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame, in its order; columns that it lacks count as missing."""
    one_machine = has_one_machine(frame)
    columns = {str(name): values(column) for name, column in frame.items()}
    lines = zip(*columns.values(), strict=True)
    return [_row(dict(zip(columns, line, strict=True)), one_machine=one_machine) for line in lines]


def newest(frame: pd.DataFrame) -> list[Row]:
    """As `read`, without rows that a later run on the same machine has measured again."""
    return read(latest(frame))


def by_layer(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each layer, in the order in which layers first appear."""
    layers: dict[str, list[Row]] = {}
    for row in rows:
        layers.setdefault(row.layer, []).append(row)
    return layers


def setting_text(setting: Setting, parts: Iterable[int] = range(4)) -> str:
    """``cpu, float32, 1 thread, units=256``, or some of these parts."""
    device, dtype, threads, params = setting
    texts = (device, dtype, units.count(threads, "thread"), params)
    return ", ".join(texts[part] for part in parts if texts[part])


def varying_parts(rows: Iterable[Row]) -> list[int]:
    """The parts of a setting of which one layer has several values."""
    layers = by_layer(rows).values()
    return [
        part
        for part in range(4)
        if any(len({row.setting[part] for row in members}) > 1 for members in layers)
    ]


def has_one_machine(frame: pd.DataFrame) -> bool:
    """Whether no two rows are of different machines."""
    return frame.empty or len(frame["machine_id"].unique()) == 1


def machine_suffix(machine_id: str, *, one_machine: bool) -> str:
    """What names the machine after a framework, where there are several."""
    return "" if one_machine else f" ({machine_id})"


def ordered_series(rows: Iterable[Row]) -> list[str]:
    """The series of some rows, each once, the usual base first."""
    one_of_each = {row.series: row for row in rows}
    ordered = sorted(
        one_of_each.values(),
        key=lambda row: (row.machine_id, configuration_order(row.framework, row.execution)),
    )
    return [row.series for row in ordered]


def mode_order(mode: str) -> int:
    """Sorts forward before backward before train."""
    return MODES.index(mode) if mode in MODES else len(MODES)


def _row(row: Mapping[str, Any], *, one_machine: bool) -> Row:
    params = row.get("params")
    return Row(
        case_id=_text(row, "case_id"),
        layer=_text(row, "layer"),
        family=_text(row, "family"),
        framework=_text(row, "framework"),
        framework_version=_text(row, "framework_version"),
        device=_text(row, "device"),
        mode=_text(row, "mode"),
        execution=_text(row, "execution"),
        dtype=_text(row, "dtype"),
        threads=int(_number(row, "threads") or 0),
        batch=int(_number(row, "batch") or 0),
        seq=None if (seq := _number(row, "seq")) is None else int(seq),
        parameters=params if isinstance(params, Mapping) else {},
        model=_text(row, "model"),
        model_batch=int(_number(row, "model_batch") or 0),
        occurrences=int(_number(row, "occurrences") or 0),
        status=_text(row, "status"),
        reason=_text(row, "reason"),
        latency=_latency(row),
        p90_s=_number(row, "latency_p90_s"),
        first_call_s=_number(row, "first_call_s"),
        device_time_s=_number(row, "device_time_s"),
        samples=int(_number(row, "samples") or 0),
        disturbed=_number(row, "disturbed"),
        passes=int(_number(row, "passes") or 0),
        converged=_flag(row, "converged"),
        warmed=_flag(row, "warmed"),
        peak_memory_bytes=_number(row, "peak_memory_bytes"),
        memory_method=_text(row, "memory_method"),
        peak_allocated_bytes=_number(row, "peak_allocated_bytes"),
        parameter_bytes=_number(row, "parameter_bytes"),
        throughput_per_s=_number(row, "throughput_per_s"),
        tokens_per_s=_number(row, "tokens_per_s"),
        flops=_number(row, "flops"),
        flop_per_s=_number(row, "flop_per_s"),
        intensity=_number(row, "intensity"),
        roofline_fraction=_number(row, "roofline_fraction"),
        bound=_text(row, "bound"),
        parity_error=_number(row, "parity_error"),
        approximation_error=_number(row, "approximation_error"),
        density=_number(row, "density"),
        audit=_texts(row.get("audit")),
        memory_parts=_memory_parts(row),
        execution_path=_text(row, "execution_path"),
        operators=_number(row, "operators"),
        kernels=_number(row, "kernels"),
        conversions=_number(row, "conversions"),
        warnings=_texts(row.get("warnings")),
        machine_id=_text(row, "machine_id"),
        run_id=_text(row, "run_id"),
        one_machine=one_machine,
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def _number(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    return value if isinstance(value, _NUMBERS) and math.isfinite(value) else None


def _flag(row: Mapping[str, Any], name: str) -> bool:
    return bool(row.get(name))


def _latency(row: Mapping[str, Any]) -> Interval | None:
    value = _number(row, "latency_s")
    if _text(row, "status") != Status.OK or value is None or value <= 0:
        return None
    low, high = _number(row, "latency_low_s"), _number(row, "latency_high_s")
    return Interval(value, value if low is None else low, value if high is None else high)


def _memory_parts(row: Mapping[str, Any]) -> dict[str, float]:
    sizes = {word: _number(row, name) for word, name in MEMORY_PARTS.items()}
    return {word: size for word, size in sizes.items() if size is not None}


def _texts(value: Any) -> tuple[str, ...]:
    return () if value is None else tuple(str(text) for text in value)
