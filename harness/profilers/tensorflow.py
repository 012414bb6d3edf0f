"""TensorFlow's calls, by tf.profiler: the events of its XSpace, and what they add up to."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from harness.profilers import Allocation, Execution, Operation, Trace, joined

_Event: TypeAlias = tuple[str, int, float, float, str, dict[str, Any]]
"""Plane, lane, start, end, name, figures; times in seconds of the host."""

_EAGER = re.compile(r"EagerLocalExecute: (\w+)")
_IN_GRAPH = re.compile(r"(?P<node>[^:]+):(?P<type>\w+)")
_FUNCTION = re.compile(r"__(inference|forward|backward)_")
_LOOP = re.compile(r"(.*?while[^/]*)/body/")
_MKL = re.compile(r"_Mkl(?:Native)?(Fused)?(\w+)")
_WORK = re.compile(
    r"_?(Fused)?(\w*MatMul\w*|Conv\w+|DepthwiseConv\w+|Einsum|BatchNorm\w*|CudnnRNN\w*|Softmax)"
)
"""Operations that do a layer's work; the rest moves and reshapes, or goes element by element."""
_CALL = "layerbench::call"
"""Marks the call that counts."""
_PICOSECONDS = 1e-12


def trace(
    call: Callable[[], Any], synchronize: Callable[[Any], None], chrome: Path | None = None
) -> Trace:
    """One call as tf.profiler sees it: the second since it was opened.

    The first one optimizes a graph and computes its constants, and so is not like the others.
    Both are profiled, as calls that are not let the executor find out which operations are cheap,
    and it leaves those out of profiles from then on (kernel_stats in its executor.cc).

    Args:
        call: opened just now.
        synchronize: waits for what the call gave.
        chrome: file for a trace that Perfetto and Chrome can show.
    """
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3, python_tracer_level=0)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder, options)
        try:
            synchronize(call())
            with tf.profiler.experimental.Trace(_CALL):
                synchronize(call())
        finally:
            tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    if chrome is not None:
        chrome.write_text(json.dumps({"traceEvents": list(_chrome(space))}), encoding="utf-8")
    return read(space)


def read(space: Any) -> Trace:
    """What ran and what was allocated, from an XSpace."""
    operations: list[Operation] = []
    allocations: list[Allocation] = []
    events, first = _of_the_call(space)
    for plane, lane, start_s, end_s, name, stats in events:
        start_s, end_s = start_s - first, end_s - first
        if name in ("MemoryAllocation", "MemoryDeallocation"):
            sign = 1 if name == "MemoryAllocation" else -1
            allocations.append(Allocation(lane, start_s, sign * int(stats["allocation_bytes"])))
        elif plane.startswith("/device:GPU"):
            operations.append(Operation(name, lane, start_s, end_s, is_kernel=True))
        elif found := _operation(name, stats):
            operations.append(Operation(found[0], lane, start_s, end_s, node=found[1]))
    return Trace(
        tuple(sorted(operations, key=lambda operation: operation.start_s)),
        tuple(sorted(allocations, key=lambda allocation: allocation.at_s)),
    )


def _of_the_call(space: Any) -> tuple[list[_Event], float]:
    """The events of the call that counts, and when it began."""
    events = list(_events(space))
    ((begin, end),) = (
        (start_s, end_s) for _, _, start_s, end_s, name, _ in events if name == _CALL
    )
    return [event for event in events if begin <= event[2] <= end], begin


def _operation(name: str, stats: dict[str, Any]) -> tuple[str, str] | None:
    """(type, place in the graph) of an operation on the host, or None for the runtime's own."""
    if "hlo_op" in stats:  # XLA's: a name with a number
        return None if name.startswith("end: ") else (name.rpartition(".")[0] or name, "XLA")
    found = _EAGER.fullmatch(name)
    graph = _IN_GRAPH.fullmatch(name)
    kind = found[1] if found else graph["type"] if graph else "__inference_"
    if _FUNCTION.match(kind) or "::" in name:
        return None
    return kind, graph["node"] if graph else ""


def _events(space: Any) -> Iterator[_Event]:
    lane = 0
    for plane in space.planes:
        names = {key: data.name for key, data in plane.event_metadata.items()}
        figures = {key: data.name for key, data in plane.stat_metadata.items()}
        for line in plane.lines:
            lane += 1
            if plane.name.startswith("/device:") and not line.name.startswith("Stream"):
                continue  # summaries of what the streams hold
            for event in line.events:
                start_s = line.timestamp_ns * 1e-9 + event.offset_ps * _PICOSECONDS
                end_s = start_s + event.duration_ps * _PICOSECONDS
                stats = {
                    figures[s.metadata_id]: getattr(s, s.WhichOneof("value")) for s in event.stats
                }
                yield plane.name, lane, start_s, end_s, names[event.metadata_id], stats


def _chrome(space: Any) -> Iterator[dict[str, Any]]:
    """The events in the Trace Event Format: times in microseconds."""
    events, first = _of_the_call(space)
    for plane, lane, start_s, end_s, name, _ in events:
        span = {"ts": (start_s - first) * 1e6, "dur": (end_s - start_s) * 1e6}
        yield {"ph": "X", "pid": plane, "tid": lane, "name": name, **span}


def execution(
    call: Callable[[], Any], synchronize: Callable[[Any], None], device: str
) -> Execution:
    """Which way a call goes that was opened just now; see `trace`."""
    return judge(trace(call, synchronize), device)


def judge(seen: Trace, device: str) -> Execution:
    """The way that a call went on ``cpu`` or ``cuda``."""
    host = [operation for operation in seen.operations if not operation.is_kernel]
    xla = any(operation.node == "XLA" for operation in host)
    return Execution(
        execution_path=joined(
            # Sorted, as the order in which a graph runs is not the same in every process.
            [*(["XLA"] if xla else []), *_loops(host), *sorted(_work(host))],
            "TensorFlow ops",
        ),
        operators=len(host),
        kernels=sum(o.is_kernel for o in seen.operations) if device == "cuda" else None,
        conversions=None if xla else sum(operation.name == "Cast" for operation in host),
    )


def _loops(host: list[Operation]) -> Iterator[str]:
    nodes = Counter(operation.node for operation in host)
    steps: dict[str, int] = {}
    for node, count in nodes.items():
        if match := _LOOP.match(node):
            steps[match[1]] = max(count, steps.get(match[1], 0))
    for count, loops in Counter(steps.values()).items():
        number = "while loop" if loops == 1 else f"{loops} while loops"
        yield f"{number} of {count} steps"
    if any(operation.node == "XLA" and operation.name == "while" for operation in host):
        yield "while loop"


def _work(host: list[Operation]) -> Iterator[str]:
    for operation in host:
        if match := _MKL.fullmatch(operation.name):
            if _WORK.fullmatch(match[2]):
                yield f"oneDNN {'fused ' if match[1] else ''}{match[2]}"
        elif operation.node != "XLA" and (match := _WORK.fullmatch(operation.name)):
            yield "cuDNN RNN" if "CudnnRNN" in operation.name else _spelt(match)


def _spelt(match: re.Match[str]) -> str:
    return f"fused {match[2]}" if match[1] else match[2]
