"""Requests for the fake framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import accounts
import pandas as pd

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


def measured(results: Path, **changes: Any) -> pd.DataFrame:
    """The rows of such a request's run, each planned case accounted for."""
    plan = runner.make_plan(request(**changes))
    record = runner.begin(plan, results, "test")
    runner.execute(record, plan.layers, lambda event: None)
    accounts.check(record)
    return store.load(record.folder)
