"""The page of names: what the ledger says of each, and what the results have of it."""

from __future__ import annotations

import pytest
from frames import frame, row

from harness.ledger import Entry, State
from harness.report import catalogue, html, rows
from harness.report.catalogue import NOT_HERE

LEDGER = {
    entry.name: entry
    for entry in (
        Entry("keras.layers.Dense", "linear", State.TIMED, ("dense",)),
        Entry("torch.nn.LSTM", "recurrent", State.TIMED, ("lstm", "bidirectional_lstm")),
        Entry("torch.nn.LazyLinear", "linear", State.ALIAS, ("dense",), "torch.nn.Linear"),
        Entry("torch.nn.Linear", "linear", State.TIMED, ("dense",)),
        Entry("torch.nn.Module", "base", State.NOT_APPLICABLE, detail="a <base> class"),
    )
}
RESULTS = (row(), row(mode="train"), row(batch=1, status="oom"))


def section(*members: dict[str, object]) -> catalogue.Section:
    return catalogue.section(LEDGER, rows.read(frame(members)))


def test_only_names_of_frameworks_that_were_measured_are_told() -> None:
    names = [line[0].text for line in section(*RESULTS).table.rows]
    assert names == ["torch.nn.LSTM", "torch.nn.LazyLinear", "torch.nn.Linear", "torch.nn.Module"]
    assert section(row(framework="tensorflow")).table.rows[0][0].text == "keras.layers.Dense"
    assert not section(row(framework="fake"))


def test_each_name_has_its_state_its_layers_and_what_came_of_them() -> None:
    told = {line[0].text: [cell.text for cell in line[2:]] for line in section(*RESULTS).table.rows}
    assert told == {
        "torch.nn.LSTM": ["timed", "lstm, bidirectional_lstm", NOT_HERE],
        "torch.nn.LazyLinear": ["alias", "torch.nn.Linear: dense", "2 ok, 1 oom"],
        "torch.nn.Linear": ["timed", "dense", "2 ok, 1 oom"],
        "torch.nn.Module": ["not applicable", "a <base> class", ""],
    }


def test_rows_of_another_framework_are_none_of_a_names() -> None:
    table = section(row(), row(framework="tensorflow", status="mismatch")).table
    told = {line[0].text: line[4].text for line in table.rows}
    assert told["torch.nn.Linear"] == "1 ok"
    assert told["keras.layers.Dense"] == "1 mismatch"


@pytest.mark.parametrize(("status", "tone"), [("ok", ""), ("unsupported", ""), ("crashed", "bad")])
def test_what_failed_strikes_the_eye(status: str, tone: str) -> None:
    linear = section(row(status=status)).table.rows[2]
    assert linear[4].tone == tone


def test_counts_are_said_in_words() -> None:
    assert section(*RESULTS).sentences == [
        "`torch.nn`: 4 public names, 2 of them timed (1 with a latency in these results), "
        "1 other names of these, 1 without work to time."
    ]


def test_a_page_has_it_and_escapes_it() -> None:
    text = html.render(frame(RESULTS), [], ledger=LEDGER)
    assert "torch.nn.LazyLinear" in text
    assert "a &lt;base&gt; class" in text
    assert "no framework whose names are kept account of" in html.render(frame([]), [])
