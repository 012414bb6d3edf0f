"""What each side would measure, asked of processes that import code of all kinds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from regress import repository

from harness.regress import Given
from harness.regress.plans import SidePlan, plan
from harness.regress.sides import checked_out, homes
from harness.runner import Request
from harness.types import InfrastructureError, UsageError

AXES = {"framework": ["fake"], "mode": ["forward"], "execution": ["eager"], "batch": [4]}
LAYERS = repository.TEMPLATE.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the suite, which is no repository."""
    (tmp_path / "layers.py").write_text(LAYERS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def _plan(
    python: str | None = None, suites: Sequence[str] = ("layers.py",), **asked: object
) -> SidePlan:
    request = Request.of(suites=list(suites), axes=AXES, **asked)
    with checked_out(Given(python=python), suites, homes()) as checkout:
        return plan("base", checkout, request)


def _names(found: SidePlan) -> set[str]:
    return {case.layer for case in found.cases.values()}


def _venv(folder: Path, with_packages: bool) -> str:
    """An environment of its own; with a link to the packages of this one, or empty."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    if with_packages:
        (site,) = folder.glob("lib/python*/site-packages")
        ours = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (site / "ours.pth").write_text("\n".join(ours))
    return str(folder / "bin" / "python")


def test_without_names_a_suites_own_layers_are_planned() -> None:
    assert {"steady", "slower", "removed"} <= _names(_plan())
    assert "lstm" not in _names(_plan())


def test_what_a_side_lacks_is_told_and_the_rest_is_planned() -> None:
    found = _plan(layers=["steady", "added"])
    assert _names(found) == {"steady"}
    assert list(found.unknown) == ["added"]
    assert not _plan(layers=["added"]).cases


def test_a_side_without_the_suite_tells_what_it_lacks_and_plans_the_catalogues_layers() -> None:
    Path("layers.py").unlink()
    assert not _plan().cases
    assert list(_plan(layers=["steady"]).unknown) == ["steady"]
    found = _plan(layers=["dense", "steady"])
    assert _names(found) == {"dense"}
    assert list(found.unknown) == ["steady"]


def test_a_case_that_a_side_lacks_is_told() -> None:
    found = _plan()
    case = next(name for name in found.cases if name.startswith("steady/"))
    other = case.replace("steady", "added")
    asked = Request.of(suites=["layers.py"], cases=[case, other])
    with checked_out(Given(), ["layers.py"], homes()) as checkout:
        told = plan("head", checkout, asked)
    assert list(told.cases) == [case]
    assert list(told.unknown) == [other]


def test_a_request_that_makes_no_sense_is_a_users_mistake() -> None:
    with pytest.raises(UsageError, match=r"base \(working tree\).*no_such"):
        _plan(params={"no_such": [1]})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise ValueError('on\\n import')", "on import"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("import no_such_package", "no_such_package"),
        ("1 +", "line 1"),
        ("x = 1", "no Layer"),
        ("from harness.absent import x", "harness.absent"),
    ],
)
def test_a_suite_that_cannot_be_imported_is_told(text: str, told: str) -> None:
    Path("layers.py").write_text(text)
    found = _plan()
    assert not found.cases
    assert found.broken.startswith("base (working tree): ")
    assert told in " ".join(found.broken.split())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import os; os._exit(7)", "exit status 7"),
        ("import os; os.abort()", "exit status -6"),
        ("raise KeyboardInterrupt('of its own')", "KeyboardInterrupt"),
    ],
)
def test_a_suite_that_takes_the_planner_with_it_is_the_infrastructure(text: str, told: str) -> None:
    Path("layers.py").write_text(text)
    with pytest.raises(InfrastructureError) as error:
        _plan()
    assert "base (working tree)" in str(error.value)
    assert told in " ".join(str(error.value).split())


def test_a_suite_may_print_and_close_what_it_likes() -> None:
    Path("layers.py").write_text(
        f"{LAYERS}\nimport sys\nprint('{{' * 10**6)\nsys.stderr.close()\nsys.stdout.close()\n"
    )
    assert "steady" in _names(_plan())


def test_files_in_the_working_directory_hide_neither_numpy_nor_the_harness() -> None:
    for name in ("numpy", "torch", "scipy", "json"):
        Path(f"{name}.py").write_text("raise RuntimeError('the wrong one')")
    for package in ("suites", "harness"):
        Path(package).mkdir()
        Path(package, "__init__.py").write_text("raise RuntimeError('the wrong one')")
    assert "steady" in _names(_plan())


def test_a_suite_may_import_what_lies_beside_it_and_in_src() -> None:
    Path("src").mkdir()
    for file in ("src/inside.py", "beside.py"):
        Path(file).touch()
    text = LAYERS.replace("import os\n", "import os\nimport inside, beside\n", 1)
    Path("layers.py").write_text(text)
    assert "steady" in _names(_plan())


def test_a_suite_may_be_a_module_of_the_side() -> None:
    Path("package").mkdir()
    Path("package/bench.py").write_text(LAYERS)
    assert "steady" in _names(_plan(suites=["package.bench"]))


def test_another_environments_interpreter_plans_with_this_harness(tmp_path: Path) -> None:
    found = _plan(_venv(tmp_path / "venv", with_packages=True))
    assert "steady" in _names(found)
    assert found.python == ".".join(map(str, sys.version_info[:3]))


def test_an_environment_that_lacks_numpy_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(
        InfrastructureError, match=r"venv.* cannot be planned: .*No module"
    ) as error:
        _plan(_venv(tmp_path / "venv", with_packages=False))
    assert len(str(error.value).splitlines()) == 1


def test_a_program_that_is_no_python_is_told(tmp_path: Path) -> None:
    for name, text in {
        "bad": "#!/bin/sh\necho sorry >&2\nexit 1\n",
        "worse": "#!/no/such\n",
    }.items():
        (tmp_path / name).write_text(text)
        os.chmod(tmp_path / name, 0o755)
    with pytest.raises(InfrastructureError, match="sorry"):
        _plan(str(tmp_path / "bad"))
    with pytest.raises(UsageError, match="cannot be run"):
        _plan(str(tmp_path / "worse"))
