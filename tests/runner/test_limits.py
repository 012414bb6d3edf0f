"""Searches along an axis, in real workers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from fake_runs import SUITE

from harness import frameworks, runner, store
from harness.runner import Request, crossover, fit
from harness.search.limit import Limit, conclude
from harness.search.pairs import LATENCY, MEMORY, curves
from harness.types import Status, UsageError

MEMORY_SUITE = str(Path(__file__).parents[1] / "memory_suite.py")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a worker's memory")
pytestmark = linux


def request(**changes: Any) -> Request:
    axes = {"framework": ["fake"], "mode": ["forward"], "execution": ["eager"]}
    settings = {"suites": (SUITE,), "timeout_s": 20.0, "sample_s": 0.05, **changes}
    return Request.of(axes={**axes, **settings.pop("axes", {})}, **settings)


def limits(
    layer: str, asked: Request, up_to: int | None = None, memory: int | None = None,
    axis: str = "seq",
) -> dict[str, Limit]:  # fmt: skip
    """By mode."""
    tries: dict[str, list[Any]] = {}
    for event in fit.fit(fit.make_fit(layer, axis, asked, up_to, memory)):
        if event.attempt:
            tries.setdefault(event.case.mode, []).append(event.attempt)
    return {mode: conclude(found) for mode, found in tries.items()}


def best(found: Limit) -> int:
    assert found.best is not None
    return found.best.value


def test_the_threshold_of_a_layer_is_found_in_both_modes_and_verified() -> None:
    found = limits("limited", request(axes={"mode": ["forward", "train"]}))
    assert (best(found["forward"]), best(found["train"])) == (21, 7)
    for limit in found.values():
        assert limit.bounded
        assert limit.verified
        assert limit.next is not None
        assert "MemoryError" in limit.next.outcome.reason
    assert found["forward"].best is not None
    assert found["forward"].best.outcome.peak_memory_bytes == 21 * 2**20


def test_the_batch_is_searched_at_the_length_that_is_held() -> None:
    found = limits("limited", request(axes={"seq": [3]}), axis="batch")
    assert best(found["forward"]) == 7


def test_the_memory_that_is_given_is_what_a_worker_gets() -> None:
    """An item has an input and an output of 2 MiB in float64; the harness holds nothing beside."""
    found = {
        size: best(limits("hoard", request(), memory=size * 2**20)["forward"])
        for size in (256, 512)
    }
    assert 0 < found[256] < 256 / 4
    assert found[512] - found[256] == pytest.approx(256 / 4, abs=1)


def test_more_memory_than_the_machine_has_is_refused() -> None:
    with pytest.raises(UsageError, match="more than this machine's"):
        limits("hoard", request(), memory=2**60)


def test_a_size_whose_tensors_exceed_the_memory_is_not_run() -> None:
    found = limits("hoard", request(axes={"seq": [2**12]}), memory=2**29, axis="batch")["forward"]
    assert found.best is None
    assert found.next is not None
    assert (found.next.value, found.next.outcome.ran) == (1, False)
    assert "inputs and weights alone take 4.00 GiB" in found.next.outcome.reason


@pytest.mark.parametrize(
    ("kind", "status"), [("raise", "error"), ("hang", "timeout"), ("segfault", "crashed")]
)
def test_what_is_no_want_of_memory_ends_the_search_with_its_reason(kind: str, status: str) -> None:
    asked = request(params={"kind": kind, "limit": 20}, timeout_s=1.0)
    found = limits("limited", asked)["forward"]
    assert best(found) == 16
    assert found.next is not None
    assert (found.next.value, found.next.outcome.status) == (32, status)
    assert not found.bounded


def test_a_worker_that_cannot_start_says_nothing_of_a_size() -> None:
    found = limits("limited", request(), memory=2**20)["forward"]
    assert found.best is None
    assert not found.bounded
    assert found.next is not None
    assert "no worker could start" in found.next.outcome.reason


def test_a_case_that_is_ruled_out_is_not_searched() -> None:
    asked = fit.make_fit("limited", "seq", request(axes={"execution": ["compiled"]}), None, None)
    (event,) = fit.fit(asked)
    assert event.attempt is None
    assert event.ruled_out == (Status.UNSUPPORTED, "the fake framework compiles nothing")


@pytest.mark.skipif(not frameworks.installed("torch"), reason="torch is not installed")
def test_torch_fits_what_its_tensors_leave_room_for() -> None:
    """An item of 64 MiB has an input, a temporary and an output of that size."""
    asked = request(
        suites=(MEMORY_SUITE,), axes={"framework": ["torch"]}, params={"elements": 2**24}
    )
    found = limits("temporary", asked, memory=2**30, axis="batch")["forward"]
    assert found.bounded
    assert found.verified
    assert found.next is not None
    assert found.next.value == best(found) + 1
    assert 2**29 <= 3 * 2**26 * best(found) <= 2**30  # the rest is torch itself
    assert found.best is not None
    peak = found.best.outcome.peak_memory_bytes
    assert peak == pytest.approx(2 * 2**26 * best(found), rel=0.02)


FAST = "power_law/fake/cpu/forward/eager/float32/us=10.0"
STEEP = "power_law/fake/cpu/forward/eager/float32/us=0.05-power=2.0-mib=0.001"
"""Crosses at 200 in time and at 1000 in memory."""


def measured(tmp_path: Path, a: str, b: str, up_to: int, **changes: Any) -> Any:
    asked = crossover.make_crossover(a, b, "seq", request(passes=3, **changes), up_to)
    run = runner.begin(asked.plan, tmp_path, "test")
    for _ in crossover.crossover(asked, run, lambda event: None):
        pass
    return asked, run


def test_both_crossings_of_known_laws_are_found_and_journaled(tmp_path: Path) -> None:
    asked, run = measured(tmp_path, FAST, STEEP, 4096)
    known = curves(crossover.measured(asked, store.read_run(run.folder)))
    (time,) = crossover.crossing.crossings(known[LATENCY].points)
    (memory,) = crossover.crossing.crossings(known[MEMORY].points)
    for found, truth in ((time, 200), (memory, 1000)):
        assert found.lower == "A"
        assert found.narrow
        assert found.low <= truth <= found.high
        assert found.value == pytest.approx(truth, rel=0.05)
    frame = store.load(run.folder)
    assert set(frame["status"]) == {"ok"}
    assert len(frame) == 2 * len(known[LATENCY].points) > 2 * len(asked.values)
    assert frame["passes"].min() == 3


def test_a_layer_that_fails_ends_the_comparison_there(tmp_path: Path) -> None:
    params = {"kind": "memory_error", "limit": 40}
    asked, run = measured(tmp_path, "sequence", "limited", 64, params=params)
    pairs = crossover.measured(asked, store.read_run(run.folder))
    assert [(pair.value, pair.b.status) for pair in pairs] == [(16, "ok"), (32, "ok"), (64, "oom")]
    assert pairs[-1].a.latency is not None
    assert pairs[-1].b.latency is None


@pytest.mark.parametrize(
    ("a", "b", "changes", "complaint"),
    [
        ("scale", "sequence", {}, "scale has no sequence axis"),
        ("sequnce", "sequence", {}, "nearest: sequence"),
        ("sequence", "sequence/fake/cpu", {}, "A and B are the same: sequence/fake/cpu/forward"),
        ("sequence", "sequence/fakke", {}, "unknown framework 'fakke'"),
        ("sequence", "sequence/fake/cpu/sideways", {}, "unknown mode 'sideways'"),
        ("sequence", "sequence//cpu", {}, "is not the start of a case id"),
        ("sequence", "sequence/fake/cpu/*", {}, "comes to 3 cases"),
        ("sequence", FAST.replace("us=", "s32-us="), {}, "leave s… out"),
        ("sequence", FAST.replace("us=", "b1-x9-us="), {}, "cannot read 'b1-x9'"),
        ("sequence", FAST.replace("us=", "uss="), {}, "unknown parameter 'uss'; nearest: us"),
        ("sequence", "power_law", {"params": {"uss": 1}}, "unknown parameter 'uss'"),
        ("sequence", FAST, {"params": {"width": 1}}, "'width'; there are: us, power, "),
        ("sequence", "power_law", {"axes": {"mode": ["forward", "train"]}}, "give one value"),
        ("sequence", "power_law", {"axes": {"seq": [16]}}, "leave out --seq"),
        ("sequence", "power_law", {"axes": {"batch": ["tokens=64"]}}, "a search along seq needs"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(
    a: str, b: str, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint.replace("*", r"\*")):
        crossover.make_crossover(a, b, "seq", request(**changes), 64)


@pytest.mark.parametrize(
    ("layer", "axis", "changes", "memory", "complaint"),
    [
        ("scale", "seq", {}, None, "scale has no sequence axis; search along --axis batch"),
        ("limted", "seq", {}, None, "unknown layer 'limted'; nearest: limited"),
        ("limited", "heads", {}, None, "unknown axis 'heads'"),
        ("limited", "seq", {"axes": {"seq": [16]}}, None, "leave out --seq"),
        ("limited", "seq", {"axes": {"batch": ["tokens=64"]}}, None, "a search along seq needs"),
        ("limited", "seq", {"axes": {"device": ["cuda"]}}, None, "cuda is not on this machine"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    layer: str, axis: str, changes: dict[str, Any], memory: int | None, complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UsageError, match=complaint):
        fit.make_fit(layer, axis, request(**changes), None, memory)


def test_memory_is_no_limit_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.devices.available", lambda: ("cpu", "cuda"))
    with pytest.raises(UsageError, match="add --device cpu"):
        fit.make_fit("limited", "seq", request(), None, 2**30)
