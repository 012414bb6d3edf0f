"""What other tools are given, read as they read it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import junitparser
import outcomes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readers import BENCHER, CUSTOM_SMALLER_IS_BETTER, compared

from harness.gate.outcome import METRICS, Outcome, Verdict
from harness.report.gate import FORMATS
from harness.stats import Interval

HOSTILE = pytest.mark.parametrize("hostile", outcomes.HOSTILE, ids=range(len(outcomes.HOSTILE)))
EMPTY = outcomes.outcome()

JUNIT_ATTRIBUTES: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package"},
    ),
    "properties": (set(), set()),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name"}, {"time", "classname", "group"}),
    "failure": (set(), {"type", "message"}),
    "error": (set(), {"type", "message"}),
    "skipped": (set(), {"type", "message"}),
    "system-out": (set(), set()),
}  # fmt: skip
JUNIT_CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out"},
    "properties": {"property"},
    "testcase": {"skipped", "error", "failure", "system-out"},
}
"""Required and allowed attributes, and children, of the elements that we write: from
junit-10.xsd of https://github.com/jenkinsci/xunit-plugin."""


def loaded(name: str, outcome: Outcome) -> Any:
    """The JSON of a format; what only Python reads, such as NaN, is refused."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(FORMATS[name](outcome), parse_constant=refuse)


@HOSTILE
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_written_to_a_file(name: str, hostile: str) -> None:
    text = FORMATS[name](outcomes.hostile(hostile))
    text.encode()
    assert text.endswith("\n")
    assert "\x1b" not in text


def test_json_is_the_outcome_that_it_came_from() -> None:
    for given_ in (EMPTY, outcomes.full(), *map(outcomes.hostile, outcomes.HOSTILE)):
        assert Outcome.from_json(loaded("json", given_)) == given_


@pytest.mark.parametrize(
    ("name", "schema"),
    [("github-action-benchmark", CUSTOM_SMALLER_IS_BETTER), ("bencher", BENCHER)],
)
def test_figures_follow_the_schema_of_their_reader(name: str, schema: Any) -> None:
    for given_ in (EMPTY, outcomes.full(), *map(outcomes.hostile, outcomes.HOSTILE)):
        schema(loaded(name, given_))


def test_figures_of_head_are_kept_and_what_failed_is_left_out() -> None:
    smaller = loaded("github-action-benchmark", outcomes.full())
    entries = {entry["name"]: entry for entry in smaller}
    lstm = "lstm/torch/cpu/train/eager/float32/b32-s128"
    assert entries[f"{lstm} latency"]["value"] == pytest.approx(1.2e6 * 1.234)
    assert entries[f"{lstm} latency"]["unit"] == "ns"
    assert entries[f"{lstm} latency"]["range"] == "± 3.00 %"
    assert entries[f"{lstm} operators"]["value"] == 1001
    assert "range" not in entries[f"{lstm} operators"]
    measures = loaded("bencher", outcomes.full())
    assert measures[lstm]["latency"]["value"] == pytest.approx(1.2e6 * 1.234)
    assert measures[lstm]["latency"]["lower_value"] == pytest.approx(1.2e6 * 1.234 * 0.97)
    assert measures[lstm]["parameters"] == {"value": 2**20}
    for lost in ("dropout", "multi_head_attention", "rnn"):
        assert not any(name.startswith(lost) for name in [*entries, *measures])
    assert all(entry["value"] for entry in smaller)
    assert not any("peak" in name for name in [*entries, *measures[lstm]])


def test_a_figure_of_a_layer_that_computes_something_else_is_left_out() -> None:
    wrong = outcomes.case(
        "a/torch", outcomes.latency(0.1), head_status="mismatch", verdict=Verdict.FAILED
    )
    for name, nothing in (("github-action-benchmark", []), ("bencher", {})):
        assert loaded(name, outcomes.outcome(wrong)) == nothing
    (only,) = loaded("pytest-benchmark", outcomes.outcome(wrong))["benchmarks"]
    assert only["name"] == "base"


def test_a_name_cannot_leave_the_code_that_github_action_benchmark_puts_it_in() -> None:
    (entry,) = loaded(
        "github-action-benchmark",
        outcomes.outcome(outcomes.case("a`|\n@everyone", outcomes.latency())),
    )
    assert entry["name"] == "a'/ @everyone latency"


FIGURES = st.none() | st.just(0.0) | st.floats(1e-15, 1e30)
"""What an outcome can hold; others are refused when it is read."""


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(METRICS)),
    FIGURES,
    FIGURES,
    st.none() | st.tuples(*[st.floats(1e-15, 1e30)] * 3).map(sorted),
    st.none() | st.floats(0, 1e6),
    st.sampled_from(Verdict),
)
def test_any_figures_can_be_written(
    metric: str,
    base: float | None,
    head: float | None,
    ratio: list[float] | None,
    visible: float | None,
    verdict: Verdict,
) -> None:
    interval = Interval(ratio[1], ratio[0], ratio[2]) if ratio else None
    found = outcomes.Finding(metric, base, head, interval, visible, 3, verdict)
    for render in FORMATS.values():
        assert render(outcomes.outcome(outcomes.case("a/torch", found)))


# JUnit


@pytest.mark.parametrize(
    "given_",
    [EMPTY, outcomes.full(), *map(outcomes.hostile, outcomes.HOSTILE)],
    ids=range(2 + len(outcomes.HOSTILE)),
)
def test_junit_holds_only_what_its_schema_knows(given_: Outcome) -> None:
    root = ET.fromstring(FORMATS["junit"](given_))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, allowed = JUNIT_ATTRIBUTES[element.tag]
        assert required <= set(element.attrib) <= required | allowed
        assert {child.tag for child in element} <= JUNIT_CHILDREN.get(element.tag, set())


def test_junit_counts_as_its_readers_do() -> None:
    text = FORMATS["junit"](outcomes.full())
    (suite,) = junitparser.JUnitXml.fromstring(text.encode())
    told = (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert told == (9, 2, 1, 1)
    suite.update_statistics()
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == told
    results = {case.name.partition("/")[0]: case for case in suite}
    (failure,) = results["lstm"].result
    assert isinstance(failure, junitparser.Failure)
    assert failure.type == "regression"
    assert failure.message.startswith("regression: latency 1.23× (1.20–1.27), from 1.20 ms")
    (error,) = results["multi_head_attention"].result
    assert isinstance(error, junitparser.Error)
    assert (error.type, error.message[:26]) == ("mismatch", "failed: the output differs")
    (vanished,) = results["dropout"].result
    assert isinstance(vanished, junitparser.Failure)
    (skipped,) = results["rnn"].result
    assert isinstance(skipped, junitparser.Skipped)
    assert results["gru"].is_passed
    assert results["gru"].system_out.startswith("inconclusive: latency 1.04×")
    assert "visible from 13 %" in results["gru"].system_out


def test_junit_of_a_gate_that_compared_nothing_does_not_pass() -> None:
    for nothing in (EMPTY, outcomes.outcome(outcomes.case("a/torch", head_status="error"))):
        (suite,) = junitparser.JUnitXml.fromstring(FORMATS["junit"](nothing).encode())
        assert suite.errors == 1


@HOSTILE
def test_junit_shows_hostile_text_but_for_signs_that_xml_cannot_hold(hostile: str) -> None:
    root = ET.fromstring(FORMATS["junit"](outcomes.hostile(hostile)))
    tame = ET.fromstring(FORMATS["junit"](outcomes.hostile("x")))
    assert [each.tag for each in root.iter()] == [each.tag for each in tame.iter()]
    case = next(root.iter("testcase"))
    assert case.attrib["name"][0] == (hostile[0] if hostile[0] != "\x1b" else "\ufffd")


# pytest-benchmark


def test_pytest_benchmark_sets_base_beside_head_case_by_case(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    path.write_text(FORMATS["pytest-benchmark"](outcomes.full()))
    text = compared(path, "--columns=median,rounds", "--csv=gate.csv")
    _, _, lstm = text.partition("benchmark 'lstm/torch/cpu/train/eager/float32/b32-s128': 2 tests")
    base, head = lstm.splitlines()[3:5]
    assert re.match(r"base \(.*\) +1\.2000 \(1\.0\)", base)
    assert re.match(r"head \(.*\) +1\.4808 \(1\.23\)", head)
    assert "benchmark 'rms_norm/torch/cpu/forward/eager/float32/b32-s128': 1 tests" in text
    assert "multi_head_attention" not in text
    assert (tmp_path / "gate.csv").read_text().count("[base]") == 4


def test_pytest_benchmark_reads_hostile_names(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    # A surrogate cannot be printed by any program, so pytest-benchmark cannot show it either.
    printable = [text for text in outcomes.HOSTILE if "\ud800" not in text]
    cases = [outcomes.case(text, outcomes.latency()) for text in printable]
    path.write_text(FORMATS["pytest-benchmark"](outcomes.outcome(*cases)))
    assert compared(path).count(": 2 tests") == len(printable)
