"""Damaged run folders: the other runs load, and what was made of a run before is not lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import journals
import pandas as pd
import pytest

import harness
from harness import cli, store
from harness.types import HarnessError

fault = pytest.mark.fault
EARLIER = "The Parquet made of it before is read, and left as it is, and that is said"


class TestJournals:
    @pytest.mark.parametrize(
        "lose",
        [
            pytest.param(lambda path: path.unlink(), marks=fault("A journal is gone", EARLIER)),
            pytest.param(
                lambda path: path.write_bytes(b""), marks=fault("A journal is emptied", EARLIER)
            ),
            pytest.param(
                lambda path: path.write_bytes(path.read_bytes()[:100]),
                marks=fault("A journal is cut off", EARLIER),
            ),
            pytest.param(
                # The last measurement, and what is said of the pass that it ended.
                lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(True)[:-2])),
                marks=fault("A journal lost whole lines, which no checksum tells", EARLIER),
            ),
        ],
        ids=["gone", "empty", "cut", "lines"],
    )
    def test_what_was_made_of_a_journal_before_is_read_and_not_written_over(
        self, collected: Path, lose: Callable[[Path], Any]
    ) -> None:
        expected, samples = store.load(collected), store.load_samples(collected)
        kept = {
            name: (collected / name).read_bytes() for name in (journals.CASES, journals.SAMPLES)
        }
        lose(collected / journals.JOURNAL)
        for load, before in ((store.load, expected), (store.load_samples, samples)):
            frame, (told,) = journals.loaded(collected, load)
            pd.testing.assert_frame_equal(frame, before)
            assert told.path == collected / journals.JOURNAL
            assert "holds more and is read instead" in told.what
        written, (told,) = journals.loaded(collected, store.collect)
        assert "is left as it is" in told.what
        assert written == []
        assert {name: (collected / name).read_bytes() for name in kept} == kept

    @fault(
        "A journal is gone, and nothing was made of it", "Each case is interrupted, and it is said"
    )
    def test_a_missing_journal_is_no_run_that_has_just_begun(self, journaled: Path) -> None:
        (journaled / journals.JOURNAL).unlink()
        frame, (damage,) = journals.loaded(journaled)
        assert frame["status"].tolist() == ["interrupted"] * 3
        assert "it is missing" in damage.what

    @fault("The journal of another run lies in a folder", "All of its lines are left out and named")
    def test_a_journal_of_another_run_is_told(self, journaled: Path) -> None:
        journals.change_plan(journaled, run_id="another")
        frame, (damage,) = journals.loaded(journaled)
        assert damage.lines == len(journals.records(journaled))
        assert "it is of another run, 2" in damage.what
        assert frame["status"].tolist() == ["interrupted"] * 3

    def test_what_is_made_of_a_damaged_journal_says_so_wherever_it_goes(
        self, journaled: Path, tmp_path: Path
    ) -> None:
        journals.replace_line(journaled, journals.line_of(journaled, 30), b"rubbish\n")
        journals.loaded(journaled, store.collect)
        _, (damage,) = journals.loaded(journaled)
        assert damage.path == journaled / journals.JOURNAL
        shutil.copy(journaled / journals.CASES, tmp_path / "alone.parquet")
        frame, (damage,) = journals.loaded(tmp_path / "alone.parquet")
        assert frame["passes"].tolist() == [2, 1, 2]
        assert "it was made of a damaged journal.jsonl: 1 of" in damage.what


BROKEN_PLANS = [
    pytest.param(b"", "is broken", id="empty",
        marks=fault("A run.json is empty", "The other runs load, and it is named")),
    pytest.param(b'{"schema": 2, "run_id": "x"', "is broken", id="cut",
        marks=fault("A run.json is cut short", "The other runs load, and it is named")),
    pytest.param(b'{"name": "package", "version": "1.0"}', "is broken", id="foreign",
        marks=fault("A run.json is somebody else's", "The other runs load, and it is named")),
    pytest.param(b'{"schema": 99}', "schema 99, this layerbench reads up to", id="newer",
        marks=fault("A run is of a newer schema", "The other runs load, and it is named")),
    pytest.param(b'{"schema": 0}', "0 is no schema", id="schema-0"),
    pytest.param(b'{"schema": "2"}', "'2' is no schema", id="schema-text"),
    pytest.param(b"[" * 100_000, "is broken", id="deep"),
    pytest.param(b"\xff\xfe\x00", "is broken", id="binary"),
    pytest.param(None, "is broken", id="folder"),
]  # fmt: skip


class TestPlans:
    @pytest.mark.parametrize(("content", "told"), BROKEN_PLANS)
    def test_a_broken_run_among_others_is_named_and_the_others_load(
        self, journaled: Path, content: bytes | None, told: str
    ) -> None:
        expected = store.load(journaled)
        other = shutil.copytree(journaled, journaled.parent / "other")
        (other / journals.PLAN).unlink()
        if content is None:
            (other / journals.PLAN).mkdir()
        else:
            (other / journals.PLAN).write_bytes(content)
        for load in (store.load, store.load_samples, store.load_runs, store.collect):
            _, (damage,) = journals.loaded(journaled.parent, load)
            assert damage.path == other / journals.PLAN
            assert told in damage.what
            assert "\n" not in damage.what
        pd.testing.assert_frame_equal(journals.loaded(journaled.parent)[0], expected)
        with pytest.raises(HarnessError, match=r"run\.json (is broken|has schema 99)"):
            store.load(other)

    @pytest.mark.parametrize(
        "changes",
        [
            {"families": 3}, {"machine": []}, {"run_id": None}, {"cases": "none"},
            {"cases": [{"layer": 3}]}, {"unknown": 1},
        ],
    )  # fmt: skip
    def test_a_plan_of_other_types_is_broken(
        self, journaled: Path, changes: dict[str, Any]
    ) -> None:
        journals.change_plan(journaled, **changes)
        with pytest.raises(HarnessError, match=r"run\.json is broken"):
            store.load(journaled)

    def test_nothing_sound_is_an_error_in_one_line(
        self, journaled: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("other", "third"):
            shutil.copytree(journaled, journaled.parent / name)
        for plan in journaled.parent.rglob(journals.PLAN):
            plan.write_bytes(b"")
        assert cli.main(["report", str(journaled.parent), "--out", str(journaled / "out")]) == 2
        (told,) = capsys.readouterr().err.splitlines()
        assert "is broken" in told
        assert told.endswith("nor can any of the other 2 be read")

    @fault("A run.json is broken, and Parquet lies beside it", "Its rows load, and it is named")
    def test_rows_of_a_run_whose_plan_is_broken_load_from_parquet(self, collected: Path) -> None:
        expected = store.load(collected)
        (collected / journals.PLAN).write_bytes(b"")
        frame, (damage,) = journals.loaded(collected)
        pd.testing.assert_frame_equal(frame, expected)
        assert damage.path == collected / journals.PLAN
        assert "cases.parquet was read instead" in damage.what


class TestTold:
    def test_python_is_warned(self, journaled: Path) -> None:
        journals.replace_line(journaled, 3, b"rubbish\n")
        with pytest.warns(store.DamagedResultsWarning, match=r"lines is left out: 3") as told:
            harness.load(journaled)
        (warning,) = told
        assert isinstance(warning.message, store.DamagedResultsWarning)
        assert warning.message.damage.path == journaled / journals.JOURNAL

    @fault(
        "A report is made of damaged results",
        "It is made of what is sound; the terminal and its first page say what is not",
    )
    def test_a_report_says_what_is_damaged_beside_its_verdict(
        self, journaled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        other = shutil.copytree(journaled, journaled.parent / "other")
        (other / journals.PLAN).write_bytes(b"")
        journals.replace_line(journaled, journals.line_of(journaled, 30), b"rubbish\n")
        out = tmp_path / "out"
        assert cli.main(["report", str(journaled.parent), "--out", str(out)]) == 0
        told = capsys.readouterr().err.splitlines()
        assert [line.split(": ")[1:3] for line in told] == [
            ["damaged", str(journaled / journals.JOURNAL)],
            ["damaged", str(other / journals.PLAN)],
        ]
        (page,), (text,) = (
            [file.read_text(encoding="utf-8") for file in out.glob(pattern)]
            for pattern in ("*.html", "*.md")
        )
        assert "damaged 1 line in 2 files" in page
        for document in (page, text.replace("\\", "")):
            assert "Damaged: run/journal.jsonl: 1 of" in document
            assert "Damaged: other/run.json: is broken" in document
        assert str(tmp_path) not in page.partition("Method and data")[0]

    @pytest.mark.parametrize(
        "typed",
        [
            ("export", "--format", "csv"),
            ("compare", "{folder}"),
            ("regress", "--history"),
            ("collect",),
        ],
    )
    def test_every_command_that_reads_results_says_it_in_a_line(
        self, journaled: Path, typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        journals.replace_line(journaled, journals.line_of(journaled, 30), b"rubbish\n")
        typed = tuple(word.format(folder=journaled) for word in typed)
        cli.main([*typed, str(journaled)])
        damaged = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
        assert len(damaged) == 1
        assert str(journaled / journals.JOURNAL) in damaged[0]
