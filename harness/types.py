"""What flows through the harness: cases that are planned and measurements that come of them.

Pure data. Everything here survives a round trip through JSON unchanged, because the parent and
its workers, the journal on disk and any other machine exchange nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, NamedTuple, Self, TypeAlias

Value: TypeAlias = int | float | str | bool

SCHEMA_VERSION = 2
"""Version of every file under ``results/``; raised when a reader of the old one would misread."""


class HarnessError(Exception):
    """Something the user can mend, told in one line: what is wrong, where, and what to do."""


class UsageError(HarnessError):
    """What was asked for does not exist or does not make sense (exit status 2)."""


class InfrastructureError(HarnessError):
    """What measures has failed, not what is measured (exit status 3)."""


class NothingToCompareError(HarnessError):
    """Two results have no case in common (exit status 4)."""


class Status(StrEnum):
    """How a case ended. Every planned case ends in exactly one of these."""

    OK = "ok"
    UNSUPPORTED = "unsupported"
    """The framework has no builder, device, dtype or execution for it."""
    NOT_APPLICABLE = "not_applicable"
    """The question makes no sense, such as dropout in inference."""
    MISMATCH = "mismatch"
    """The layer does not compute what its reference does, so its time means nothing."""
    OOM = "oom"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    ERROR = "error"
    INTERRUPTED = "interrupted"

    @property
    def failed(self) -> bool:
        """Whether this counts as a failure of the run (exit status 3)."""
        return self not in (Status.OK, Status.UNSUPPORTED, Status.NOT_APPLICABLE)


MODES = ("forward", "backward", "train")
EXECUTIONS = ("eager", "compiled", "compiled-xla")
DTYPES = ("float32", "bfloat16", "float16")
DTYPE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TEXT = re.compile(r"[A-Za-z0-9_.]+")
_NEXT_FIELD = re.compile(r"-(?=[bst]\d+(?:-|$)|[a-z][a-z0-9_]*=)")


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of a sweep: what is measured, and under which conditions.

    ``seq`` is None for layers without a sequence axis. ``params`` are the layer's own
    parameters, in the order in which the layer declares them.
    """

    layer: str
    framework: str
    device: str
    mode: str
    execution: str
    dtype: str
    threads: int
    batch: int
    seq: int | None
    params: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.params:
            check_name("parameter", name)
            check_value(name, value)

    @property
    def id(self) -> str:
        """The case as a person reads it and can type it back; see `parse`."""
        shape = [f"b{self.batch}"]
        if self.seq is not None:
            shape.append(f"s{self.seq}")
        if self.threads != 1:
            shape.append(f"t{self.threads}")
        shape += [f"{name}={value}" for name, value in self.params]
        where = (self.layer, self.framework, self.device, self.mode, self.execution, self.dtype)
        return "/".join((*where, "-".join(shape)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The case that `id` names.

        Raises:
            UsageError: the text is not a case id.
        """
        parts = text.strip().split("/")
        if len(parts) != 7:
            raise UsageError(
                f"case id {text!r} has {len(parts)} parts, not 7: "
                "layer/framework/device/mode/execution/dtype/shape"
            )
        sizes, params = parse_shape(parts[6], f"case id {text!r}")
        if "b" not in sizes:
            raise UsageError(f"case id {text!r} names no batch size, such as b32")
        layer, framework, device, mode, execution, dtype, _ = parts
        return cls(
            layer,
            framework,
            device,
            mode,
            execution,
            dtype,
            threads=sizes.get("t", 1),
            batch=sizes["b"],
            seq=sizes.get("s"),
            params=params,
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "params": tuple(data["params"].items())})


class Bench(NamedTuple):
    """What one worker process is for."""

    framework: str
    device: str
    threads: int

    @classmethod
    def of(cls, case: Case) -> Self:
        return cls(case.framework, case.device, case.threads)


def parse_shape(text: str, where: str) -> tuple[dict[str, int], tuple[tuple[str, Value], ...]]:
    """What the last part of a case id says: sizes by their letter (b, s, t), and parameters.

    Raises:
        UsageError: it says something else; the message begins with `where`.
    """
    sizes: dict[str, int] = {}
    params: list[tuple[str, Value]] = []
    for item in _NEXT_FIELD.split(text):
        name, equals, value = item.partition("=")
        if equals:
            params.append((name, parse_value(value)))
        elif re.fullmatch(r"[bst]\d{1,10}", item):
            sizes[item[0]] = int(item[1:])
        else:
            raise UsageError(f"{where}: cannot read {item!r} in its last part")
    return sizes, tuple(params)


def check_name(kind: str, name: object) -> None:
    """Holds a name to what a case id can carry.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(f"{kind} name {name!r} is not of the form lower_case")


def check_value(name: str, value: object) -> None:
    """Holds a parameter's value to what a case id can carry, and reads back as the same.

    Raises:
        UsageError: it is something else.
    """
    if type(value) not in (int, float, str, bool):
        raise UsageError(
            f"parameter {name} = {value!r} is of type {type(value).__name__}; "
            "it can be an int, a float, a str or a bool"
        )
    if isinstance(value, int) and abs(value) >= 2**63:
        raise UsageError(f"parameter {name} is a number of more than 63 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"parameter {name} = {value} is not a finite number")
    if isinstance(value, str) and not _TEXT.fullmatch(value):
        raise UsageError(
            f"parameter {name}={value!r}: text may hold letters, digits, '_' and '.' only"
        )
    if isinstance(value, str) and parse_value(value) != value:
        raise UsageError(f"parameter {name}={value!r}: this text would read back as a number")


def parse_value(text: str) -> Value:
    """An int, a float, True or False if the text reads as one, else the text itself."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


class Disturbance(NamedTuple):
    """What went on while some samples were taken; see `harness.disturbance`.

    Attributes:
        first, stop: the samples, from `first` to `stop` - 1.
        kind: of disturbance.
        amount: how much of it.
    """

    first: int
    stop: int
    kind: str
    amount: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of one attempt at a case: one probe in one pass, in one worker process.

    Times are seconds a call, sizes bytes, work FLOP a call. A failure is a measurement too:
    its ``status`` is not ok, its ``reason`` is a sentence, and it carries no samples.
    """

    case: Case
    probe: str
    """``latency`` or ``memory``; they run in different processes, as each disturbs the other."""
    pass_index: int
    status: Status
    started_at: str
    """ISO 8601, UTC."""
    reason: str = ""
    warnings: tuple[str, ...] = ()
    framework_version: str = ""
    first_call_s: float | None = None
    """Build, trace or compile, and the first call."""
    calls_per_block: int = 0
    samples_s: tuple[float, ...] = ()
    """Wall time a call, one sample a block, in the order in which they were taken."""
    device_samples_s: tuple[float, ...] = ()
    """Device time a call by device events; empty where the device has no clock of its own."""
    disturbances: tuple[Disturbance, ...] | None = None
    """In the order of the samples; None if nobody looked."""
    paired_samples_s: tuple[float, ...] = ()
    """Wall time a call in further blocks of the same size, for the audit only."""
    doubled_samples_s: tuple[float, ...] = ()
    """Wall time a call in blocks of twice the calls, each taken beside one of the former."""
    warmed: bool = False
    converged: bool = False
    parity_error: float | None = None
    approximation_error: float | None = None
    """Of the result against what the layer approximates, relative, at some of its places."""
    density: float | None = None
    """Share of full attention's scores that are computed."""
    flops: int | None = None
    bytes: int | None = None
    parameter_bytes: int | None = None
    input_bytes: int | None = None
    peak_memory_bytes: int | None = None
    memory_method: str = ""
    execution_path: str = ""
    """Which way a call went, by the memory round's process; see `harness.profilers.Execution`."""
    operators: int | None = None
    kernels: int | None = None
    conversions: int | None = None
    output_bytes: int | None = None
    """This and what follows: held at the peak of a call; see `harness.profilers.Parts`."""
    saved_bytes: int | None = None
    workspace_bytes: int | None = None
    peak_allocated_bytes: int | None = None
    """Parameters and inputs with the three before."""

    def to_json(self) -> dict[str, Any]:
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**data, "case": self.case.to_json(), "status": str(self.status)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        samples = ("samples_s", "device_samples_s", "paired_samples_s", "doubled_samples_s")
        for name in ("warnings", *samples):
            values[name] = tuple(values.get(name, ()))
        if (marks := values.get("disturbances")) is not None:
            values["disturbances"] = tuple(Disturbance(*mark) for mark in marks)
        values["case"] = Case.from_json(values["case"])
        values["status"] = Status(values["status"])
        return cls(**values)
