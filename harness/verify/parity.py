"""Does every builder compute its layer, in each mode, dtype and execution, and is a wrong one seen?

The check is the one that every run makes before it times anything (`harness.probes.parity`), in
the same worker, in small shapes and without the timing. Then layers that are deliberately wrong
(`harness.verify.mistakes`) go the same way, and each has to end as a mismatch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from harness import catalogue, frameworks
from harness.layer import Layer
from harness.runner import CaseFailedError, WorkerFailedError, ruled_out
from harness.runner.measure import CHECK_TIMEOUT_S
from harness.runner.sampling import Ask
from harness.types import DTYPES, EXECUTIONS, MODES, Case, Status, Value
from harness.verify import bench
from harness.verify.row import Row, judged

SUITE = "harness.verify.mistakes"
SMALL: Mapping[str, Value] = {
    "in_features": 12, "out_features": 16, "in_channels": 3, "out_channels": 4, "kernel": 3,
    "size": 6, "input_size": 6, "hidden_size": 8, "heads": 2, "head_dim": 8, "features": 16,
    "activation": "gelu",
}  # fmt: skip
"""By parameter, wherever a layer has it; others are its first preset's."""
BATCH, SEQ = 4, 5
TIMEOUT_S = 120.0
FAIR = (Status.OK, Status.UNSUPPORTED, Status.NOT_APPLICABLE)


def rows() -> Iterator[Row]:
    """A row for each framework, execution and dtype, then one for each mistake."""
    for framework in bench.installed():
        yield from _right(framework)
        yield from _wrong(framework)


def small(layer: Layer, framework: str, mode: str, execution: str, dtype: str) -> Case:
    """The case in a shape that checks in milliseconds."""
    preset = next(iter(layer.presets.values()))
    params = tuple((name, SMALL.get(name, value)) for name, value in preset.items())
    where = (layer.name, framework, "cpu", mode, execution, dtype)
    # What is random is checked by its share, which takes more than a few values.
    batch = BATCH if layer.check is None else 64 * BATCH
    return Case(*where, 1, batch, SEQ if layer.has_seq else None, params)


def _right(framework: str) -> Iterator[Row]:
    layers = catalogue.load()
    with bench.worker(framework) as (ask, _greeting):
        for execution in EXECUTIONS:
            for dtype in DTYPES:
                cases = [
                    small(layer, framework, mode, execution, dtype)
                    for layer in layers.values()
                    for mode in MODES
                ]
                check = f"{framework}, {execution}, {dtype}: every layer and mode"
                yield summed(check, (ended(ask, case, layers[case.layer]) for case in cases))


def ended(ask: Ask, case: Case, layer: Layer) -> tuple[Case, Status, str]:
    """What the check says of a case.

    Raises:
        WorkerFailedError: the worker is gone, and could not check the others.
    """
    if verdict := ruled_out(case, layer):
        return case, *verdict
    try:
        ask(TIMEOUT_S, do="prepare", case=case.to_json())
        ask(CHECK_TIMEOUT_S, do="check")
    except WorkerFailedError:
        raise
    except CaseFailedError as failure:
        return case, failure.status, failure.reason
    return case, Status.OK, ""


def summed(check: str, outcomes: Iterable[tuple[Case, Status, str]]) -> Row:
    """All of them, as a row that names the first that is wrong."""
    found = list(outcomes)
    counted = Counter(status for _case, status, _reason in found)
    text = ", ".join(f"{count} {status}" for status, count in counted.items())
    bad = [f"; {case.id}: {reason}" for case, status, reason in found if status not in FAIR]
    return judged(check, "no mismatch", text + "".join(bad[:1]), not bad)


def _wrong(framework: str) -> Iterator[Row]:
    layers = catalogue.load([SUITE])
    builder = frameworks.get(framework).builder
    with bench.worker(framework, [SUITE]) as (ask, _greeting):
        for name, layer in layers.items():
            if "__" not in name or builder not in layer.builders:
                continue
            mode = "train" if layer.check else "forward"
            case = small(layer, framework, mode, "eager", "float32")
            yield caught(f"{framework}, {name.replace('__', ' with ')}", *ended(ask, case, layer))


def caught(check: str, _case: Case, status: Status, reason: str) -> Row:
    """Only a mismatch tells that the check saw it; an error would be luck."""
    return judged(check, "mismatch", reason or status, status is Status.MISMATCH)
