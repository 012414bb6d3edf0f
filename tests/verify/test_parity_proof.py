"""A mistake counts as caught only where the check itself saw it."""

from __future__ import annotations

from typing import Any

import pytest

from harness import catalogue, sweep
from harness.runner import CaseFailedError
from harness.types import Status
from harness.verify import parity
from harness.verify.mistakes import MISTAKES
from harness.verify.row import Verdict

DENSE = catalogue.load()["dense"]
CASE = parity.small(DENSE, "torch", "train", "eager", "float32")


def test_a_case_that_fails_its_check_is_named_in_the_sum() -> None:
    def ask(timeout_s: float, **request: Any) -> dict[str, Any]:
        if request["do"] == "check":
            raise CaseFailedError(Status.MISMATCH, "output differs")
        return {}

    outcome = parity.ended(ask, CASE, DENSE)
    row = parity.summed("every layer", [(CASE, Status.OK, ""), outcome])
    assert row.verdict is Verdict.FAILS
    assert f"{CASE.id}: output differs" in row.found


def test_what_a_framework_lacks_fails_nobody() -> None:
    case = parity.small(DENSE, "torch", "train", "compiled-xla", "float32")
    outcome = parity.ended(lambda *a, **k: {}, case, DENSE)
    assert outcome[1] is Status.UNSUPPORTED
    assert parity.summed("every layer", [outcome]).verdict is Verdict.OK


@pytest.mark.parametrize("status", [Status.OK, Status.ERROR, Status.UNSUPPORTED])
def test_a_mistake_that_ends_otherwise_was_not_caught(status: Status) -> None:
    assert parity.caught("a mistake", CASE, status, "").verdict is Verdict.FAILS
    assert parity.caught("a mistake", CASE, Status.MISMATCH, "").verdict is Verdict.OK


def test_every_classic_layer_has_a_mistake_in_both_frameworks() -> None:
    for framework in ("torch", "keras"):
        wrong = {
            name.split("__")[0] for name, layer in MISTAKES.items() if framework in layer.builders
        }
        assert wrong >= set(sweep.read("quick").layers)
