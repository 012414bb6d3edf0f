"""When a case is taken to fail for good, and when it fails now and then on both sides."""

from __future__ import annotations

import pytest

from harness.regress.found import Failure, Found
from harness.types import Status


def _found(base: str, head: str, status: Status = Status.CRASHED) -> Found:
    """Of what each pair came to: ``.`` came through, ``x`` failed."""
    found = Found()
    for side, tries in {"base": base, "head": head}.items():
        found.tries[side] = [Failure(status, "gone") if one == "x" else None for one in tries]
    return found


@pytest.mark.parametrize(
    ("base", "head", "failed"),
    [
        ("..", "xx", True),  # never came through
        (".", "x", False),  # is tried again
        ("...", "x..", False),  # a crash that does not repeat
        ("....", ".xx.", False),
        ("....", ".xxx", True),  # in a row
        ("......", "x.x..x", True),  # as often in all, and never on base
        ("x.....", "x.x..x", False),  # base fails as well
        ("x....", "..xxx", True),
        ("", "", False),
    ],
)
def test_a_side_fails_for_good(base: str, head: str, failed: bool) -> None:
    found = _found(base, head)
    assert bool(found.failed("head")) is failed
    assert found.over is failed
    assert not found.failed("base")


@pytest.mark.parametrize("status", [Status.UNSUPPORTED, Status.NOT_APPLICABLE])
def test_what_trying_again_cannot_help_fails_at_once(status: Status) -> None:
    assert _found(".", "x", status).failed("head")


@pytest.mark.parametrize(
    ("base", "head", "flaky"),
    [("x.", ".x", True), ("xx", "x.", True), ("xx", "xx", False), ("..", "xx", False)],
)
def test_what_fails_now_and_then_on_both_sides_is_flaky(base: str, head: str, flaky: bool) -> None:
    assert _found(base, head).flaky is flaky
