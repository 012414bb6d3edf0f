"""Suites of the project and of users."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from fake_runs import SUITE

from harness import catalogue
from harness.types import UsageError

CLASSIC = {"dense", "conv2d", "simple_rnn", "lstm", "gru", "attention", "attention_projected",
           "multi_head_attention", "batch_norm", "dropout"}  # fmt: skip


def test_the_classic_layers_are_there() -> None:
    assert set(catalogue.load()) >= CLASSIC


def test_a_users_layers_stand_beside_them() -> None:
    assert set(catalogue.load([SUITE])) >= CLASSIC | {"scale", "fault"}


def test_modules_are_told_by_where_their_file_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    files = {
        "of_own": own / "a.py",
        "of_other": other / "b.py",
        "installed": other / ".venv" / "lib" / "site-packages" / "c.py",
        "within_own": other / "own" / "d.py",
        "made_up": Path("_classes.py"),  # as that of torch.classes
        "harness.extra": other / "harness" / "extra.py",
    }
    for name, file in files.items():
        module = ModuleType(name)
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, name, module)
    other.mkdir()
    monkeypatch.chdir(other)
    assert catalogue.loaded_from([str(other)], str(own)) == [
        f"of_other ({other / 'b.py'})",
        f"within_own ({other / 'own' / 'd.py'})",
    ]
    assert catalogue.loaded_from([str(other)], str(other)) == []


def test_loading_imports_no_framework() -> None:
    code = (
        "import sys; from harness import catalogue; catalogue.load();"
        "print([m for m in ('torch', 'tensorflow', 'keras', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1\n", "declares no Layer"),
        ("x = (\n", "line 1: SyntaxError"),
        ("\nraise ValueError('why')\n", "ValueError: why (mine.py, line 2)"),
        ("import sys; sys.exit(0)\n", "SystemExit: 0 (mine.py, line 1)"),
        # As pytest.skip() raises, which here would have this test skipped.
        ("class Skipped(BaseException): pass\nraise Skipped('why')\n", "Skipped: why (mine.py"),
        ("import no_such_thing\n", "No module named 'no_such_thing'"),
        ("from suites.linear import DENSE\nfrom dataclasses import replace\n"
         "MINE = replace(DENSE, formula='y')\n", "the name 'dense' is taken"),
    ],
)  # fmt: skip
def test_a_broken_suite_is_told_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        catalogue.load([str(path)])
    assert complaint in str(error.value)
    assert "mine" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_suite_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text("NAME = 'found'\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\nfrom neighbour_of_mine import NAME\n"
        "from suites.linear import DENSE as _DENSE\nMINE = replace(_DENSE, name=NAME)\n",
        encoding="utf-8",
    )
    assert "found" in catalogue.load([str(tmp_path / "mine.py")])
