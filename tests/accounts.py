"""What holds after every fault: each planned case has one end, and nothing is left over."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator

import psutil

from harness import store
from harness.store import RunRecord
from harness.types import Status

NAP = f"300.{os.getpid()}"
"""What a layer's children sleep, in seconds: theirs are told by it from those of other tests."""


def check(run: RunRecord) -> None:
    """Holds a run that has ended to this."""
    frame = store.load(run.folder)
    assert frame["case_id"].tolist() == [case.id for case in run.cases]
    counts = Counter(map(Status, frame["status"]))
    assert counts.total() == len(run.cases)
    assert not frame.loc[frame["status"] != "ok", "reason"].eq("").any()
    assert frame.loc[frame["status"] != "ok", "latency_s"].isna().all()
    assert frame.loc[frame["status"] == "ok", "latency_s"].gt(0).all()
    assert not (run.folder / "reference").exists()
    assert not list(run.folder.rglob("*.partial"))
    deadline = time.monotonic() + 5
    while left := list(_still_running(run)):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _still_running(run: RunRecord) -> Iterator[list[str]]:
    """Command lines of the run's workers, and of what their layers have started."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            typed = process.cmdline()
            if typed == ["sleep", NAP] or str(run.folder.resolve()) in "".join(typed):
                yield typed
