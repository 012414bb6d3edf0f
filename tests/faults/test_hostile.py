"""Files from strangers: what they name is neither run nor written, and what they claim not taken

All of them are given to the commands and to `harness.load`, as somebody would who got a folder of
results, a sweep or an artefact from elsewhere.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import bombs
import exit_status
import journals
import pyarrow.parquet as pq
import pytest
from fake_runs import SUITE

import harness
from harness import cli, store
from harness.devices import machine
from harness.types import HarnessError

fault = pytest.mark.fault
UNTOUCHED = "It is refused; nothing outside the folder is written"


@pytest.fixture
def here(journaled: Path) -> Path:
    """A run of this machine, that could be gone on with."""
    journals.change_plan(journaled, machine=machine.describe())
    return journaled


class TestCode:
    @fault(
        "Somebody's results name a suite",
        "No command that reads them imports it, and `--resume` asks for it to be named",
    )
    @pytest.mark.parametrize("name", ["evil.py", "evil"])
    def test_a_suite_that_only_a_file_names_is_not_imported(
        self,
        here: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        name: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "evil.py").write_text("open('owned', 'w')\n", encoding="utf-8")
        suite = str(tmp_path / name) if name.endswith(".py") else name
        journals.change_plan(here, suites=[SUITE, suite])
        for typed in (
            ["export", str(here), "--format", "json"],
            ["regress", "--history", str(here)],
            ["collect", str(here)],
            ["run", "--resume", str(here), "--suite", SUITE],
        ):
            capsys.readouterr()
            exit_status.of(typed)
        told = capsys.readouterr().err
        assert f"layerbench run --resume {here} --suite {SUITE} --suite {suite}" in told
        assert not (tmp_path / "owned").exists()

    def test_that_a_suite_is_code_is_said_once_and_in_the_docs(self) -> None:
        root = Path(harness.__file__).parents[1]
        files = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
        files += [
            file for name in ("harness", "suites", "tools") for file in (root / name).rglob("*")
        ]
        said = [
            file.relative_to(root).as_posix()
            for file in files
            if file.suffix in (".md", ".py", ".j2")
            for _ in re.findall(r"runs?\s+its\s+code", file.read_text(encoding="utf-8"))
        ]
        assert said == ["README.md"]

    @fault(
        "A Parquet file brings a type of its own, which is a pickle",
        "It is text as before; the pickle is not read",
    )
    def test_a_type_in_a_parquet_file_is_not_made(self, collected: Path, tmp_path: Path) -> None:
        class Owned:
            def __reduce__(self) -> Any:
                return (Path.touch, (tmp_path / "owned",))

        name, told = b"ARROW:extension:name", b"ARROW:extension:metadata"
        marks = {name: b"arrow.py_extension_type", told: pickle.dumps(Owned())}
        table = pq.read_table(collected / journals.CASES)
        place = table.schema.get_field_index("reason")
        field = table.schema.field(place).with_metadata(marks)
        pq.write_table(
            table.set_column(place, field, table.column(place)), collected / journals.CASES
        )
        assert len(store.load(collected / journals.CASES)) == 3
        assert not (tmp_path / "owned").exists()

    @fault(
        "`regress --base` gets an option of git, or what a shell would run",
        "It is no branch; neither git nor a shell takes it for more",
    )
    @pytest.mark.parametrize("ref", ["--output=owned", "-x", "$(touch owned)", "a; touch owned"])
    def test_a_ref_is_no_option_and_no_command(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        ref: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        subprocess.run(["git", "init", "-q"], check=True)
        assert exit_status.of(["regress", f"--base={ref}"]) == cli.USAGE
        assert "neither a folder nor a branch" in capsys.readouterr().err
        assert not (tmp_path / "owned").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there only some may make links")
class TestFolders:
    @fault("A part of a run is a link, and the run is gone on with", UNTOUCHED)
    @pytest.mark.parametrize(
        "name", [journals.JOURNAL, journals.PLAN, "logs", "reference", "logs/fake-cpu-t1.log"]
    )
    def test_a_run_writes_through_no_link(
        self, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        outside, link = tmp_path / "outside", here / name
        if link.is_dir():
            link.rename(outside)
        elif link.exists():
            outside.write_bytes(link.read_bytes())
            link.unlink()
        else:
            outside.mkdir()
        link.symlink_to(outside)
        before = bombs.contents(outside)
        assert exit_status.of(["run", "--resume", str(here), "--suite", SUITE]) == cli.USAGE
        assert f"{link} is a link" in capsys.readouterr().err
        assert bombs.contents(outside) == before

    @fault(
        "A file that is made of a run is a link already, or what a crash left is",
        "The link is replaced and not followed",
    )
    def test_collecting_follows_no_link(self, collected: Path, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.write_bytes(b"mine")
        for name in (journals.CASES, f".{journals.CASES}.partial", f".{journals.SAMPLES}.partial"):
            (collected / name).unlink(missing_ok=True)
            (collected / name).symlink_to(outside)
        journals.loaded(collected, store.collect)
        assert outside.read_bytes() == b"mine"
        assert not (collected / journals.CASES).is_symlink()
        assert len(store.load(collected / journals.CASES)) == 3

    def test_answers_of_a_reference_that_lie_there_are_not_used(self, here: Path) -> None:
        (here / "reference").mkdir(exist_ok=True)
        (here / "reference" / "answer.npz").write_bytes(pickle.dumps("an answer"))
        harness.runner.continued(here, [SUITE])
        assert not (here / "reference").exists()

    def test_a_run_cannot_allow_itself_more_memory_than_there_is(
        self, here: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        journals.change_plan(here, max_memory_bytes=2**60)
        assert exit_status.of(["run", "--resume", str(here), "--suite", SUITE]) == cli.USAGE
        assert "is more than this machine's" in capsys.readouterr().err

    def test_folders_that_are_links_are_not_searched(self, here: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "empty" / "loop").symlink_to(tmp_path / "empty")
        (tmp_path / "empty" / "away").symlink_to(here.parent)
        with pytest.raises(HarnessError, match="holds no results"):
            store.load(tmp_path / "empty")


@pytest.mark.skipif(sys.platform != "linux", reason="what only Linux has")
class TestClaims:
    """Each is read in one process after the other, of which the first is harmless."""

    @pytest.fixture(scope="class")
    def read(
        self, three_cases: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> dict[str, dict[str, Any]]:
        folder = tmp_path_factory.mktemp("bombs")
        made = {"harmless": str(three_cases)}
        made |= {name: bombs.made(name, three_cases, folder / name) for name in bombs.BOMBS}
        done = subprocess.run(
            [sys.executable, str(Path(bombs.__file__)), json.dumps(made)],
            capture_output=True, text=True, timeout=100, check=True,
            env={**os.environ, "PYTHONPATH": str(Path(harness.__file__).parents[1])},
        )  # fmt: skip
        return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}

    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(name, marks=fault(bomb.what, bomb.outcome), id=name)
            for name, bomb in bombs.BOMBS.items()
        ],
    )
    def test_a_file_takes_no_more_memory_than_it_has_room_for(
        self, read: dict[str, dict[str, Any]], name: str
    ) -> None:
        assert read["harmless"]["told"] == []
        assert bombs.BOMBS[name].told in " ".join(read[name]["told"])
        assert read[name]["peak"] - read["harmless"]["peak"] < 100 * 2**20
