"""The program that plans one side, in a process of its own: two versions of a module need two.

Started by `harness.regress.plans`, with its question as its one argument.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import catalogue, faults
from harness.runner import Request, make_plan, ruled_out
from harness.types import HarnessError


def main(arguments: Sequence[str]) -> None:
    """Writes the answer into a file, as suites may print."""
    asked = json.loads(arguments[0])
    catalogue.put_first(asked["roots"])
    try:
        answer = _plan(asked["request"])
    except HarnessError as error:
        answer = {"error": str(error)}
    except Exception as error:  # of a suite, say; the side cannot be planned
        answer = {"error": faults.told(error)}
    Path(asked["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def _plan(given: Mapping[str, Any]) -> dict[str, Any]:
    suites = given.get("suites") or ()
    request = Request.of(**given)
    if suites and request.layers is None and not request.cases:
        own = set(catalogue.load(suites)) - set(catalogue.load())
        request = Request.of(**{**given, "layers": sorted(own)})
    plan = make_plan(request)
    out = {case.id: ruled_out(case, plan.layers[case.layer]) for case in plan.cases}
    return {
        "cases": [case.to_json() for case in plan.cases],
        "ruled_out": {name: verdict for name, verdict in out.items() if verdict},
        "timeout_s": plan.sweep.timeout_s,
        "python": platform.python_version(),
    }
