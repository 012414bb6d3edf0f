"""Damaged journals: each sound line counts, and each other one is counted and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import journals
import pandas as pd
import pytest
from fake_runs import SUITE

from harness import cli, store
from harness.damage import LostLines
from harness.devices import machine
from harness.store import lines
from harness.store.journal import read_journal

fault = pytest.mark.fault


class TestLines:
    @fault("A bit flips anywhere in a line of a journal", "The line's checksum tells")
    def test_no_flipped_bit_of_a_line_passes(self) -> None:
        line = lines.encoded("measurement", {"samples_s": [0.001, 0.002], "note": "µs"})
        assert lines.decoded(line, checked=True)["samples_s"] == [0.001, 0.002]
        for place in range(len(line) * 8):
            spoilt = bytearray(line)
            spoilt[place // 8] ^= 1 << place % 8
            with pytest.raises(ValueError, match=r"cut short|checksum does not fit"):
                lines.decoded(bytes(spoilt), checked=True)

    @fault(
        "The checksum itself is taken away, or its key is spoilt",
        "The line is damaged, as the run's schema says that each has one",
    )
    @pytest.mark.parametrize("key", [b"", b', "crc33": "00000000"'])
    def test_a_line_without_its_checksum_is_none_of_an_older_run(
        self, journaled: Path, key: bytes
    ) -> None:
        number = journals.line_of(journaled, 30)
        line = (journaled / journals.JOURNAL).read_bytes().splitlines()[number - 1]
        journals.replace_line(journaled, number, line[: line.index(b', "crc32"')] + key + b"}\n")
        _, (damage,) = journals.loaded(journaled)
        assert damage.what.startswith(f"1 of {len(journals.records(journaled))} lines is left out")

    def test_an_older_run_has_no_checksums_and_is_read(self, journaled: Path) -> None:
        expected = store.load(journaled)
        plain = [json.dumps(record) + "\n" for record in journals.records(journaled)]
        (journaled / journals.JOURNAL).write_text("".join(plain), encoding="utf-8")
        journals.change_plan(journaled, schema=1)
        pd.testing.assert_frame_equal(store.load(journaled), expected)
        journals.replace_line(
            journaled, journals.line_of(journaled, 30), b'{"kind": "measurement", \n'
        )
        _, (damage,) = journals.loaded(journaled)
        assert "it is not JSON" in damage.what

    @fault(
        "A bit flips in the line of a measurement",
        "The others load, and the line is named; --resume measures it again and deletes nothing",
    )
    def test_a_case_whose_line_is_damaged_is_measured_again(
        self, journaled: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        journals.change_plan(journaled, machine=machine.describe())
        number = journals.line_of(journaled, 30)
        damaged = bytearray(journals.replace_line(journaled, number, b"\n"))
        damaged[100] ^= 1
        journals.replace_line(journaled, number, bytes(damaged))
        before = (journaled / journals.JOURNAL).read_bytes()
        frame, (damage,) = journals.loaded(journaled)
        assert frame["passes"].tolist() == [2, 1, 2]
        assert (damage.path, damage.lines) == (journaled / journals.JOURNAL, 1)
        assert f"{number} (its checksum does not fit)" in damage.what
        assert cli.main(["run", "--resume", str(journaled), "--strict", "--suite", SUITE]) == 3
        told = capsys.readouterr()
        assert told.err.splitlines() == [f"layerbench: damaged: {damage.path}: {damage.what}"]
        assert "strict: damaged 1 line in 1 file" in told.out
        after = (journaled / journals.JOURNAL).read_bytes()
        assert after.startswith(before)
        added = [json.loads(line) for line in after[len(before) :].splitlines()]
        again = [one["case"]["params"] for one in added if one["kind"] == "measurement"]
        assert again == [{"us": 30}]
        frame, _ = journals.loaded(journaled)
        assert frame["passes"].tolist() == [2, 2, 2]

    @fault("The last line is cut short", "The others load, and it is named")
    def test_a_line_cut_short_is_named_and_kept(self, journaled: Path) -> None:
        path = journaled / journals.JOURNAL
        total = len(journals.records(journaled))
        content = path.read_bytes()[:-40]
        path.write_bytes(content)
        for load in (store.load, store.collect):
            _, (damage,) = journals.loaded(journaled, load)
            assert f"1 of {total} lines is left out: {total} (cut short)" in damage.what
        assert path.read_bytes() == content
        with store.Journal(journaled) as journal:
            journal.append("note", {"n": 1})
        assert path.read_bytes().startswith(content + b"\n")
        # Nobody ever knew what it held: once the run goes on, there is nothing to tell of it.
        assert journals.loaded(journaled)[1] == []
        assert list(read_journal(journaled))[-1] == (total + 2, {"kind": "note", "n": 1})

    @fault("Only the end of the last line is missing", "The line is whole and counts")
    def test_a_whole_line_without_its_end_counts(self, journaled: Path) -> None:
        expected = store.load(journaled)
        path = journaled / journals.JOURNAL
        path.write_bytes(path.read_bytes()[:-1])
        pd.testing.assert_frame_equal(store.load(journaled), expected)
        store.Journal(journaled).close()
        pd.testing.assert_frame_equal(store.load(journaled), expected)

    @fault("The same line is there twice", "The first counts, and the second is named")
    def test_a_line_said_twice_counts_once(self, journaled: Path) -> None:
        expected = store.load(journaled)
        found = journals.records(journaled)
        journals.write(journaled, [*found, found[journals.line_of(journaled, 30) - 1]])
        frame, (damage,) = journals.loaded(journaled)
        pd.testing.assert_frame_equal(frame, expected)
        assert f"{len(found) + 1} (it is said twice; the first counts)" in damage.what

    @fault("Two lines tell of the same pass of a case", "The first counts, and the second is named")
    def test_another_attempt_at_a_pass_does_not_count(self, journaled: Path) -> None:
        expected = store.load(journaled)
        found = journals.records(journaled)
        other = {**found[journals.line_of(journaled, 30) - 1], "status": "error"}
        journals.write(journaled, [*found, other])
        frame, (damage,) = journals.loaded(journaled)
        pd.testing.assert_frame_equal(frame, expected)
        assert "of a pass that another line is of; the first counts" in damage.what

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            pytest.param({"samples_s": [-1e-3]}, "samples_s is -0.001", id="negative"),
            pytest.param({"samples_s": [0.0]}, "samples_s is 0", id="zero"),
            pytest.param({"samples_s": [1e-3, "1"]}, "samples_s is", id="text"),
            pytest.param({"samples_s": []}, "ok without samples", id="none"),
            pytest.param({"samples_s": [1e300]}, "samples_s is 1e+300", id="ages"),
            pytest.param({"flops": -5}, "flops is -5", id="negative-work"),
            pytest.param({"flops": 10**400}, "flops is 1", id="huge"),
            pytest.param({"pass_index": -1}, "pass_index is -1", id="pass"),
            pytest.param({"warmed": "yes"}, "warmed is 'yes'", id="flag"),
            pytest.param({"warnings": [1]}, "warnings is", id="warnings"),
            pytest.param({"probe": "soul"}, "probe is 'soul'", id="probe"),
            pytest.param({"case": 3}, "it is no record of its kind", id="case"),
            pytest.param({"doubled_samples_s": [1e-3] * 9}, "pairs of samples that", id="pairs"),
            pytest.param({"device_samples_s": [1e-3] * 999}, "not as many device", id="device"),
            pytest.param({"disturbances": [[0, 9999, "waiting", 0.1]]}, "disturbances", id="mark"),
            pytest.param({"disturbances": [[0, 1, "ghosts", 0.1]]}, "disturbances", id="ghosts"),
            pytest.param({"disturbances": [7]}, "", id="no_mark"),
            pytest.param(
                {"status": "okay"}, "'okay' is not a valid Status", id="status",
                marks=fault("A line holds a status that there is not", "It is left out and named"),
            ),
        ],
    )  # fmt: skip
    @fault(
        "A sound line says what cannot be: no number, a negative time, another type",
        "It is left out and named",
    )
    def test_values_that_cannot_be_are_named_like_damage(
        self, journaled: Path, changes: dict[str, Any], told: str
    ) -> None:
        number = journals.line_of(journaled, 30)
        found = journals.records(journaled)
        found[number - 1].update(changes)
        journals.write(journaled, found)
        frame, (damage,) = journals.loaded(journaled)
        assert damage.lines == 1
        assert f"{number} ({told}" in damage.what
        assert frame["status"].tolist() == ["ok"] * 3
        assert len(journals.loaded(journaled, store.load_samples)[0])

    @fault("A line holds NaN or Infinity", "It is left out and named")
    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_numbers_that_json_does_not_know_are_damage(self, journaled: Path, number: str) -> None:
        at = journals.line_of(journaled, 30)
        body = journals.replace_line(journaled, at, b"\n").partition(b', "crc32"')[0]
        changed = body.replace(b'"flops": ', b'"flops": %s, "more": ' % number.encode())
        journals.replace_line(journaled, at, lines.sealed(changed))
        frame, (damage,) = journals.loaded(journaled)
        assert damage.lines == 1
        assert frame["passes"].tolist() == [2, 1, 2]

    @fault("A line tells of a case that is not in the plan", "It is left out and named")
    def test_a_case_of_another_plan_is_named(self, journaled: Path) -> None:
        found = journals.records(journaled)
        found[journals.line_of(journaled, 30) - 1]["case"]["params"] = {"us": 31}
        journals.write(journaled, found)
        _, (damage,) = journals.loaded(journaled)
        assert "us=31 is not of the plan" in damage.what

    @pytest.mark.parametrize(
        ("kind", "change"),
        [
            ("ceilings", {"flop_per_s": 0}), ("ceilings", {"bandwidth": []}),
            ("ceilings", {"bandwidth": [[1]]}), ("worker", {"version": None}),
            ("worker", {"threads": "one"}),
        ],
    )  # fmt: skip
    def test_what_surrounds_measurements_is_held_to_its_values_too(
        self, journaled: Path, kind: str, change: dict[str, Any]
    ) -> None:
        journals.rewrite(journaled, lambda one: one["kind"] == kind and one.update(change))
        for load in (store.load, store.load_runs):
            _, (damage,) = journals.loaded(journaled, load)
            assert next(iter(change)) in damage.what

    @fault(
        "A journal holds binary data or one endless line",
        "It is named; no more is held than the longest line that can be",
    )
    def test_a_foreign_journal_takes_no_memory(
        self, journaled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lines, "LONGEST", 2**20)
        whole = (journaled / journals.JOURNAL).read_bytes()
        (journaled / journals.JOURNAL).write_bytes(bytes(3 * 2**20) + b"\n" + whole)
        frame, (damage,) = journals.loaded(journaled)
        assert "1 (longer than 1 MiB)" in damage.what
        assert frame["passes"].tolist() == [2, 2, 2]
        assert max(len(line) for _, line in lines.numbered(journaled / journals.JOURNAL)) < 2**20

    def test_what_is_told_of_a_file_does_not_grow_with_it(self) -> None:
        lost = LostLines()
        for number in range(1, 10_001):
            lost.add(number, f"odd in way {number % 100}")
        damage = lost.damage(Path("journal.jsonl"), 20_000)
        assert damage is not None
        assert damage.lines == 10_000
        assert len(damage.what) < 3_000
        assert "damaged in other ways" in damage.what
