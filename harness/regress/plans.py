"""What each side would measure, asked of a process that sees that side's code only."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.regress.sides import Checkout, check_own
from harness.runner import Request
from harness.runner.process import program
from harness.types import Case, InfrastructureError, Status, UsageError

PLAN_TIMEOUT_S = 300.0
"""For importing a user's suites, which may import a framework."""


@dataclass(frozen=True)
class SidePlan:
    """One side's cases.

    Attributes:
        cases: by id, in order.
        ruled_out: (status, reason) of those that are known not to run there.
        timeout_s: after which a case that does not answer is given up.
        python: version of its interpreter.
        unknown: what was asked for by name and is not in this side, with the reason.
        absent: that there is no such suite on this side; empty if there is.
        broken: why its suites cannot be imported; empty if they can.
    """

    cases: Mapping[str, Case]
    ruled_out: Mapping[str, tuple[Status, str]]
    timeout_s: float = 0.0
    python: str = ""
    unknown: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""
    broken: str = ""


def plan(name: str, checkout: Checkout, request: Request) -> SidePlan:
    """Plans one side.

    Args:
        name: ``base`` or ``head``, for messages.
        checkout: its code.
        request: what to measure; its suites are replaced by the side's own.

    Raises:
        UsageError: the request makes no sense there.
        InfrastructureError: it cannot be asked, or what it imports is not its own code.
    """
    if request.suites and not checkout.suites and not (request.layers or request.cases):
        return SidePlan({}, {})  # the suite is new, or gone, and its layers were all that is asked
    given = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "plan.json"
        asked = {
            "request": {**given, "suites": list(checkout.suites)},
            "roots": checkout.code.roots,
            "elsewhere": checkout.elsewhere,
            "own": checkout.root,
            "answer": str(answer),
        }
        said = _run(name, checkout, json.dumps(asked))
        if not answer.exists():
            raise InfrastructureError(f"{name} ({checkout.side.given}) cannot be planned: {said}")
        return _read(name, checkout, json.loads(answer.read_text(encoding="utf-8")))


def _run(name: str, checkout: Checkout, asked: str) -> str:
    """The last line that the planner said."""
    command = [checkout.code.python, "-P", "-c", program("harness.regress.planner"), asked]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PLAN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InfrastructureError(
            f"{name} ({checkout.side.given}): importing its suites took longer than "
            f"{PLAN_TIMEOUT_S:g} s"
        ) from None
    except OSError as error:
        raise UsageError(f"{checkout.code.python} cannot be run: {error.strerror}") from error
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def _read(name: str, checkout: Checkout, answer: Mapping[str, Any]) -> SidePlan:
    if "error" in answer:
        raise UsageError(f"{name} ({checkout.side.given}): {answer['error']}")
    check_own(name, checkout, answer["modules"])
    whose = f"{name} ({checkout.side.given})"
    if "absent" in answer:
        return SidePlan({}, {}, python=answer["python"], absent=f"{whose}: {answer['absent']}")
    if "broken" in answer:
        return SidePlan({}, {}, python=answer["python"], broken=f"{whose}: {answer['broken']}")
    cases = map(Case.from_json, answer["cases"])
    return SidePlan(
        cases={case.id: case for case in cases},
        ruled_out={
            case: (Status(status), reason) for case, (status, reason) in answer["ruled_out"].items()
        },
        timeout_s=answer.get("timeout_s", 0.0),
        python=answer["python"],
        unknown=answer["unknown"],
    )
