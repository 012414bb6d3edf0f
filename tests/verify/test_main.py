"""The command: exit statuses, and tables that are written and never typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.verify import __main__, memory, table, work
from harness.verify.row import Row, Verdict, judged

VALIDITY = Path(harness.__file__).parents[1] / "docs" / "validity.md"


def proving(verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> Iterator[Row]:
        yield Row("a | b", "1", "1", verdict)

    monkeypatch.setattr(work, "rows", rows)


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_proof_that_fails_is_a_failure(
    verdict: Verdict, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    proving(verdict, monkeypatch)
    assert __main__.main(["work"]) == (3 if verdict is Verdict.FAILS else 0)
    assert verdict in capsys.readouterr().out


def test_a_proof_that_breaks_off_has_failed_and_the_others_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaking() -> Iterator[Row]:
        yield judged("before", "1", "1", True)
        raise ValueError("no such counter")

    monkeypatch.setattr(memory, "rows", breaking)
    proving(Verdict.OK, monkeypatch)
    assert __main__.main(["memory", "work"]) == 3
    said = capsys.readouterr().out
    assert "before" in said
    assert "memory, to its end" in said
    assert "no such counter" in said
    assert "a | b" in said


def test_an_unknown_proof_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["wrok"]) == 2
    assert "nearest: work" in capsys.readouterr().err


def test_a_table_replaces_its_section_and_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proving(Verdict.OK, monkeypatch)
    file = tmp_path / "validity.md"
    file.write_text("a\n<!-- work -->\nold\n<!-- end work -->\nb\n<!-- memory -->\nkept\n")
    assert __main__.main(["work", "--markdown", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    assert "old" not in text
    assert "| a \\| b | 1 | 1 | ok |" in text
    assert text.startswith("a\n<!-- work -->\n")
    assert text.endswith("<!-- end work -->\nb\n<!-- memory -->\nkept\n")


def test_a_file_without_the_section_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proving(Verdict.OK, monkeypatch)
    file = tmp_path / "validity.md"
    file.write_text("nothing")
    assert __main__.main(["work", "--markdown", str(file)]) == 2
    assert "needs one section" in capsys.readouterr().err
    assert file.read_text() == "nothing"


def test_the_document_has_a_section_for_every_proof(tmp_path: Path) -> None:
    copy = tmp_path / "validity.md"
    copy.write_text(VALIDITY.read_text(encoding="utf-8"), encoding="utf-8")
    names = (*__main__.PROOFS, "cost")
    table.write(copy, {name: [judged("check", "1", "1", True)] for name in names})
    assert copy.read_text(encoding="utf-8").count("| check | 1 | 1 | ok |") == len(names)
