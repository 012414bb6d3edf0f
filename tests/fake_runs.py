"""Requests for the fake framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import runner

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
