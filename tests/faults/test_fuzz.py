"""Files that say anything at all: a short fuzz, and what longer ones have found

Each test tries the same inputs each time; `python -m tools.fuzz` tries others, for as long as one
likes. An example is what broke the code once, or would do most harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import changes
import fuzzed
import pytest
from changes import Everywhere, Put, Set
from fuzzed import Cell
from hypothesis import HealthCheck, Phase, example, given, settings

from harness.checks import COUNTS

fault = pytest.mark.fault
TARGETS = {target.name: target for target in fuzzed.targets()}


def short(name: str, inputs: int) -> Callable[[Callable[[Any], None]], Callable[[], None]]:
    """Tries so many inputs of the target, the same each time."""
    of_target = given(TARGETS[name].inputs)
    few = settings(
        max_examples=inputs,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: few(of_target(test))


@fault(
    "Bytes and lines of a journal are changed, cut, inserted, copied, dropped (fuzzed)",
    "Each line that is as it was counts; each other one is counted and named",
)
@short("journal, bytes", 25)
def test_a_journal_of_any_bytes(drawn: Any) -> None:
    fuzzed.journal_of_bytes(drawn)


@fault(
    "Sound lines of a journal, and the plan, say anything (fuzzed)",
    "What cannot be is counted and named, or the run is, in a line; the rest loads, and is the "
    "same when it is read from the Parquet that is made of it",
)
@short("run, values", 20)
@example([Everywhere("layer", "dense", "\ud800")]).via("half of a pair of surrogates as a layer")
@example([Set("run.json", ("machine", "machine_id"), "\ud800")]).via("and as a machine")
@example([Set("run.json", ("machine", "machine_id"), None)]).via("a machine without a name")
@example([Set("run.json", ("families", "dense"), None)]).via("a family that is no text")
@example([Everywhere("batch", 256, 0)]).via("a batch of nothing, which growth is divided by")
def test_a_run_that_says_anything(drawn: Any) -> None:
    fuzzed.run_of_json(drawn)


@fault(
    "Bytes of Parquet and CSV files are changed, cut, inserted (fuzzed)",
    "Parquet is read as it was or told; of CSV what is sound is read, and what is not is told",
)
@short("tables, bytes", 15)
@example([Put("results.csv", 0, 1, b'"a"b')]).via("a heading whose quotes do not end")
def test_tables_of_any_bytes(drawn: Any) -> None:
    fuzzed.tables_of_bytes(drawn)


@fault(
    "Cells of Parquet and CSV tables hold anything (fuzzed)",
    "Their rows are left out and counted, or the file is told",
)
@short("tables, values", 20)
@example([Cell("params", 0, {"a": [1]})]).via("parameters that no case can have")
@example([Cell("latency_s", 0, 5e-324)]).via("a time too short for any ratio")
def test_tables_that_say_anything(drawn: Any) -> None:
    fuzzed.table_of_cells(drawn)


@fault(
    "Bytes and lines of a sweep file are changed, cut, inserted, copied, dropped (fuzzed)",
    "A plan whose cases can be typed back, or a line that says what is wrong",
)
@short("sweep, bytes", 15)
@example(("example", [Put("example", 0, 0, b"a = " + b"[" * 50_000)])).via("endless nesting")
def test_a_sweep_of_any_bytes(drawn: Any) -> None:
    fuzzed.sweep_of_bytes(drawn)


@fault(
    "A sweep file says anything (fuzzed)",
    "A plan whose cases can be typed back, or a line that says what is wrong",
)
@short("sweep, values", 15)
@example(("example", [Set("example", ("params", "x" * 5000), [1])])).via("an endless parameter")
@example(("example", [Set("example", ("layers", 0), "x" * 50_000)])).via("an endless layer")
@example(("example", [Set("example", (axis,), list(range(1, 2_000))) for axis in COUNTS])).via(
    "more cases than fit into any memory"
)
def test_a_sweep_that_says_anything(drawn: Any) -> None:
    fuzzed.sweep_of_json(drawn)


@fault(
    "Results that say anything are exported and compared (fuzzed)",
    "Both are done, or told in a line; no text becomes HTML or Markdown, and nothing is written "
    "but what was asked for",
)
@short("texts, values", 2)
@example([Set("run.json", ("passes",), None), Set("run.json", ("budget_s",), "x")]).via(
    "a budget that is no number"
)
@example([Set("journal.jsonl", (0, "settings", "tf32"), {})]).via("a setting that is no flag")
@example([Everywhere("layer", "dense", changes.MARKER)]).via("a layer that is an element")
def test_texts_of_results_that_say_anything(drawn: Any) -> None:
    fuzzed.texts_of_json(drawn)


@fault(
    "A report is made of results that say anything (fuzzed)",
    "It is made, or told in a line; its page is well-formed, and no text becomes a part of it",
)
@short("report, values", 2)
@example((True, [Everywhere("layer", "dense", changes.MARKER)])).via("a layer that is an element")
def test_a_report_on_results_that_say_anything(drawn: Any) -> None:
    fuzzed.page_of_json(drawn)


@fault(
    "The outcome of a gate says anything, or is any bytes (fuzzed)",
    "It is refused in a line, or every format tells it and none takes its text for notation",
)
@short("outcome", 15)
def test_an_outcome_that_says_anything(drawn: Any) -> None:
    fuzzed.outcome_of_changes(drawn)
