"""What several tests need: the fake suite, and a run of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness import runner, store

SUITE = str(Path(__file__).parent / "fake_suite.py")


def request(**changes: Any) -> runner.Request:
    """A request for the fake framework, short enough for tests."""
    axes = {
        "framework": ["fake"],
        "mode": ["forward"],
        "execution": ["eager"],
        "batch": [2],
        **changes.pop("axes", {}),
    }
    settings: dict[str, Any] = {
        "layers": ("scale",),
        "suites": (SUITE,),
        "passes": 1,
        "sample_s": 0.05,
        "timeout_s": 20.0,
        **changes,
    }
    return runner.Request("quick", axes=axes, **settings)


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """A function that runs a request and returns the frame."""

    def run(**changes: Any) -> pd.DataFrame:
        plan = runner.make_plan(request(**changes))
        record = runner.begin(plan, tmp_path / "results", "test")
        runner.execute(record, plan.layers, lambda event: None)
        return store.load(record.folder)

    return run
