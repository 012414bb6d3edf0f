"""The program that plans one side, in a process of its own: two versions of a module need two.

Started by `harness.regress.plans`, with its question as its one argument.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import catalogue, faults
from harness.checks import choose
from harness.layer import Layer
from harness.runner import Request, make_plan, ruled_out
from harness.types import HarnessError, UsageError


def main(arguments: Sequence[str]) -> None:
    """Writes the answer into a file, as suites may print."""
    asked = json.loads(arguments[0])
    catalogue.put_first(asked["roots"])
    try:
        answer = _plan(asked["request"])
    except HarnessError as error:
        answer = {"error": str(error)}
    except Exception as error:  # of a suite, say
        answer = {"broken": faults.told(error)}
    answer["python"] = platform.python_version()
    answer["modules"] = catalogue.loaded_from(asked["elsewhere"], asked["own"])
    Path(asked["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def _plan(given: Mapping[str, Any]) -> dict[str, Any]:
    suites = given.get("suites") or ()
    try:
        layers = catalogue.load(suites, here=False)
    except catalogue.NoSuiteError as error:
        return {"absent": str(error)}
    except UsageError as error:
        return {"broken": str(error)}
    unknown: dict[str, str] = {}
    request = Request.of(**given)
    if request.cases:
        request = replace(request, cases=_known(request.cases, layers, unknown))
    elif request.layers is not None:
        request = replace(request, layers=_known(request.layers, layers, unknown))
    elif suites:
        request = replace(request, layers=sorted(layers.keys() - catalogue.load().keys()))
    if unknown and not (request.cases or request.layers):
        return {"cases": [], "ruled_out": {}, "unknown": unknown}
    plan = make_plan(request)
    out = {case.id: ruled_out(case, plan.layers[case.layer]) for case in plan.cases}
    return {
        "cases": [case.to_json() for case in plan.cases],
        "ruled_out": {name: verdict for name, verdict in out.items() if verdict},
        "timeout_s": plan.sweep.timeout_s,
        "unknown": unknown,
    }


def _known(
    wanted: Iterable[str], layers: Mapping[str, Layer], unknown: dict[str, str]
) -> list[str]:
    """Names, patterns or case ids that this side has; why not goes into `unknown`."""
    found = []
    for name in wanted:
        try:
            choose("layer", [name.partition("/")[0]], layers)
        except UsageError as error:
            unknown[name] = str(error)
        else:
            found.append(name)
    return found
