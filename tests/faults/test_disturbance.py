"""Other load, the host, heat, memory and the GPU while a case is timed

The fake framework tells what a kernel would, by a layer that is slower meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from fake_runs import request

from harness import runner, store
from harness.devices import cpu, waiting
from harness.disturbance import KINDS
from harness.runner.sampling import REPEATS
from harness.stats import ENOUGH_SAMPLES

FOR_A_WHILE, ALWAYS = (35, 45), (1, 10**6)
"""The first call that is disturbed and the last; sampling begins at about the 26th."""
AMOUNTS = {"suspended": 30.0, "waiting": 0.3, "stolen": 0.2, "throttled": 0.12, "slowed": 0.25}
"""Of the other kinds it is a number."""
SAID = {
    "suspended": "the machine was suspended (for 30.0 s)",
    "stopped": "the worker was stopped (1000 times)",
    "waiting": "other processes held its cores (30.0 % of the time)",
    "stolen": "the host gave its cores to another guest (20.0 % of the time)",
    "throttled": "the container's CPU limit held it back (12.0 % of the time)",
    "overheated": "the processor throttled itself for heat (1000 times)",
    "slowed": "the processor's clock was below its nominal one (by 25.0 %)",
    "faults": "its pages had to be read from a disk (1000 times)",
    "swapped": "the machine swapped pages (1000 times)",
    "gpu_shared": "another process was on the GPU",
    "gpu_slowed": "the GPU's clock was held down by heat or power",
}
LEFT_OUT = (
    "The samples are kept and left out, others are taken in their place, and the row is flagged"
)
KEPT = "Repeats end with half the sampling time; all samples count, and the row is flagged"


def _case(kind: str, calls: tuple[int, int], amount: float | None = None) -> str:
    shape = (
        f"kind={kind}-amount={amount or AMOUNTS.get(kind, 1000)}-first={calls[0]}-last={calls[1]}"
    )
    return f"disturbed/fake/cpu/forward/eager/float32/b2-{shape}"


A_LITTLE = _case("waiting", FOR_A_WHILE, 0.04)
SAMPLE_S = 0.2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one run of all kinds of disturbance."""
    cases = [_case(kind, FOR_A_WHILE) for kind in KINDS]
    cases += [_case(kind, ALWAYS) for kind in ("waiting", "suspended")]
    plan = runner.make_plan(request(layers=None, cases=[*cases, A_LITTLE], sample_s=SAMPLE_S))
    record = runner.begin(plan, tmp_path_factory.mktemp("results"), "test")
    runner.execute(record, plan.layers, lambda event: None)
    return record.folder


@pytest.fixture(scope="module")
def frame(folder: Path) -> pd.DataFrame:
    return store.load(folder).set_index("case_id")


@pytest.fixture(scope="module")
def samples(folder: Path) -> pd.DataFrame:
    return store.load_samples(folder).set_index("case_id")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.fault(f"{cause[0].upper()}{cause[1:]}", LEFT_OUT))
        for kind, (_, _, cause, _) in KINDS.items()
    ],
)
def test_what_was_disturbed_for_a_while_is_repeated_and_said(
    frame: pd.DataFrame, samples: pd.DataFrame, kind: str
) -> None:
    row, own = frame.loc[_case(kind, FOR_A_WHILE)], samples.loc[_case(kind, FOR_A_WHILE)]
    touched = int(own["disturbed"].sum())
    assert 0 < touched < len(own) == row["samples"]
    assert row["disturbed"] == touched / len(own)
    assert row["latency_s"] == pytest.approx(1e-3, rel=1e-3)
    assert row["latency_p90_s"] == pytest.approx(1e-3, rel=1e-3)
    assert own["wall_s"].max() == pytest.approx(2e-3, rel=1e-3), "nothing is thrown away"
    assert (own["counted"] == ~own["disturbed"]).all()
    assert own["counted"].sum() == ENOUGH_SAMPLES
    assert row["converged"]
    warnings = list(row["warnings"])
    assert f"{touched} of {len(own)} samples were taken while {SAID[kind]}" in warnings
    assert f"{touched} disturbed samples left out" in warnings


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            "waiting", marks=pytest.mark.fault("Other processes hold its cores all the time", KEPT)
        ),
        pytest.param("suspended", marks=pytest.mark.fault("Each request spans a suspension", KEPT)),
    ],
)
def test_what_was_disturbed_all_the_time_counts_all_the_same(
    frame: pd.DataFrame, samples: pd.DataFrame, kind: str
) -> None:
    row, own = frame.loc[_case(kind, ALWAYS)], samples.loc[_case(kind, ALWAYS)]
    assert row["status"] == "ok"
    assert row["disturbed"] == 1.0
    assert row["latency_s"] == pytest.approx(2e-3, rel=1e-3)
    assert own["counted"].all()
    assert not row["converged"]
    assert any("not left out, as too few others remain" in said for said in row["warnings"])
    if kind == "waiting":
        assert own["wall_s"].sum() == pytest.approx((1 + REPEATS) * SAMPLE_S, rel=0.05)


def test_less_than_the_limit_is_no_disturbance(frame: pd.DataFrame) -> None:
    row = frame.loc[A_LITTLE]
    assert row["disturbed"] == 0.0
    assert not any("taken while" in said for said in row["warnings"])


@contextmanager
def _hogs(number: int) -> Iterator[None]:
    """Processes that do nothing but run, on the core that a worker gets."""
    burn = f"import os\nos.sched_setaffinity(0, {set(cpu.cores(1))})\nwhile True: pass"
    # Each in a session of its own, as a kernel may share out a core by sessions.
    hogs = [
        subprocess.Popen([sys.executable, "-c", burn], start_new_session=True)
        for _ in range(number)
    ]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


@pytest.mark.skipif(not waiting.read().waited, reason="this kernel does not tell")
@pytest.mark.fault(
    "A busy process is pinned to the worker's core (a real one)", "Seen by the kernel's counters"
)
def test_a_busy_process_on_the_workers_core_is_seen(
    tmp_path: Path, measured: Callable[..., pd.DataFrame]
) -> None:
    def waited() -> float:
        """Mean share of the time, over the samples."""
        row = measured(layers=("watched",)).iloc[0]
        (folder,) = (f.parent for f in tmp_path.rglob("run.json") if row["run_id"] in str(f))
        run = store.read_run(folder)
        (attempts,) = store.read(run).latency.values()
        (found,) = attempts
        told = [one for one in found.disturbances or () if one.kind == "waiting"]
        return sum(one.amount * (one.stop - one.first) for one in told) / len(found.samples_s)

    quiet = waited()
    with _hogs(3):
        loud = waited()
    # Where others are busy too, three more cannot add much; but they are seen there as well.
    assert loud > max(KINDS["waiting"].limit, min(quiet, 0.3))
