"""The page on faults says what the tests of faults prove."""

from __future__ import annotations

import subprocess
import sys

from tools import reliability


def test_the_page_is_what_the_tests_give_now() -> None:
    # In a process of its own, as pytest cannot collect within a run of itself.
    made = subprocess.run(
        [sys.executable, "-m", "tools.reliability", "-"],
        cwd=reliability.ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    page = (reliability.ROOT / reliability.PAGE).read_text(encoding="utf-8")
    assert made.stdout == page, "make it again: python -m tools.reliability"
    assert page.count("\n| ") > 80
