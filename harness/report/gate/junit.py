"""JUnit XML, as Jenkins, GitLab and most others read it.

A case is a test. A regression and a case that vanished are failures; a case that crashed, ran out
of memory or time, or computes something else on head is an error; one that ran on neither side is
skipped. All else passed, and says of itself in its output what it was: an inconclusive case has
not failed, as the exit status says too unless ``--strict`` is given. A gate that compared nothing
holds an error of its own, because an empty file would pass.

Elements and attributes are those of ``junit-10.xsd`` of Jenkins' xUnit plugin.
"""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

from harness.gate.outcome import CaseOutcome, Outcome, Verdict
from harness.report.gate import wording
from harness.report.text import printable

_NAME = "layerbench regress"
_TAGS = {
    Verdict.REGRESSION: "failure",
    Verdict.VANISHED: "failure",
    Verdict.FAILED: "error",
    Verdict.NOT_COMPARED: "skipped",
}


def render(outcome: Outcome) -> str:
    """One suite with a test a case."""
    tests = [_test(case) for case in outcome.cases]
    if not outcome.compared:
        tests.append(_nothing_compared(outcome))
    tags = Counter(child.tag for test in tests for child in test)
    counts = {
        "tests": str(len(tests)),
        "failures": str(tags["failure"]),
        "errors": str(tags["error"]),
    }
    time = f"{max(0.0, outcome.seconds):.3f}"
    root = ET.Element("testsuites", {"name": _NAME, **counts, "time": time})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _NAME,
            **counts,
            "skipped": str(tags["skipped"]),
            "time": time,
            "timestamp": printable(outcome.started_at),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(outcome).items():
        ET.SubElement(properties, "property", {"name": name, "value": printable(value)})
    suite.extend(tests)
    ET.SubElement(suite, "system-out").text = printable(
        "\n".join([wording.headline(outcome), *wording.details(outcome), *outcome.notes])
    )
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _test(case: CaseOutcome) -> ET.Element:
    layer = case.case.partition("/")[0]
    test = ET.Element(
        "testcase", {"classname": printable(f"layerbench.{layer}"), "name": printable(case.case)}
    )
    tag = _TAGS.get(case.verdict)
    if tag:
        kind = case.head_status if tag == "error" else case.verdict
        told = ET.SubElement(
            test, tag, {"type": printable(kind), "message": printable(wording.case(case))}
        )
        told.text = printable("\n".join(_lines(case)))
    else:
        ET.SubElement(test, "system-out").text = printable("\n".join(_lines(case)))
    return test


def _lines(case: CaseOutcome) -> list[str]:
    """Every figure of a case, a line each, after the reason if there is one."""
    lines = [wording.case(case)] if case.reason or not case.findings else []
    for found in case.findings:
        if found.base is None and found.head is None:
            continue
        seen = f" (visible from {wording.visible(found)})" if found.visible else ""
        lines.append(f"{found.verdict}: {wording.finding(found)}{seen}")
    return lines


def _nothing_compared(outcome: Outcome) -> ET.Element:
    test = ET.Element("testcase", {"classname": "layerbench", "name": "something is compared"})
    ET.SubElement(test, "error", {"type": "nothing compared", "message": wording.headline(outcome)})
    return test


def _properties(outcome: Outcome) -> dict[str, str]:
    return {
        "base": f"{outcome.base.given} {outcome.base.commit}".strip(),
        "head": f"{outcome.head.given} {outcome.head.commit}".strip(),
        "threshold": str(outcome.threshold),
        "error_rate": str(outcome.error_rate),
        "command": wording.command(outcome),
    }
