"""What several tests need: a run of the fake suite."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_runs import request

from harness import runner, store


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell starts what it puts into the background deaf to Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """A function that runs a request and returns the frame."""

    def run(**changes: Any) -> pd.DataFrame:
        plan = runner.make_plan(request(**changes))
        record = runner.begin(plan, tmp_path / "results", "test")
        runner.execute(record, plan.layers, lambda event: None)
        return store.load(record.folder)

    return run
