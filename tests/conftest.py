"""What several tests need: a run of the fake suite."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import fake_runs
import pandas as pd
import pytest


def pytest_configure() -> None:
    """Each of several test processes has a core of its own: their workers would share the last."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {usable[int(worker.removeprefix("gw")) % len(usable)]})


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell starts what it puts into the background deaf to Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """A function that runs a request and returns the frame."""
    return partial(fake_runs.measured, tmp_path / "results")
