"""The installer picks the builds that suit the machine, and does nothing when nothing is due."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONSTRAINTS = "numpy==2.4.6\ntorch==2.13.0\n"


def load():
    spec = importlib.util.spec_from_file_location("install", ROOT / "tools/install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


install = load()


class Machine:
    """Stands in for every program the installer runs, and remembers the commands."""

    def __init__(self, root: Path, gpu: bool = False, cpu_torch: bool = True):
        self.root = root
        self.gpu = gpu
        self.cpu_torch = cpu_torch
        self.pip_works = True
        self.interrupted = False
        self.commands: list[list[str]] = []

    def succeeds(self, command, timeout_s):
        words = [str(word) for word in command]
        if words[0] == "nvidia-smi":
            return self.gpu
        if "--dry-run" in words:
            return self.cpu_torch
        return self.python.exists()

    def run(self, command):
        words = [str(word) for word in command]
        self.commands.append(words)
        if "venv" in words:
            self.python.parent.mkdir(parents=True, exist_ok=True)
            self.python.touch()
            return True
        if self.interrupted:
            raise KeyboardInterrupt
        return self.pip_works

    @property
    def python(self) -> Path:
        return self.root / ".venv/bin/python"

    @property
    def stamp(self) -> Path:
        return self.root / ".venv/layerbench-install.json"

    def install(self, frameworks=("torch", "tensorflow")) -> list[list[str]]:
        """Runs the installer; returns the commands it ran."""
        self.commands.clear()
        install.install(self.root, list(frameworks))
        return list(self.commands)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    (tmp_path / "tools").mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text(CONSTRAINTS)
    (tmp_path / "tools/install.py").write_text("pass\n")
    machine = Machine(tmp_path)
    monkeypatch.setattr(install, "succeeds", machine.succeeds)
    monkeypatch.setattr(install, "run", machine.run)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    return machine


def test_a_first_install_makes_the_environment_and_fills_it(machine):
    venv, pip = machine.install()
    assert venv[1:4] == ["-m", "venv", "--clear"]
    assert ".[torch,tensorflow,test,browser]" in pip
    assert "torch==2.13.0+cpu" in pip
    assert pip[pip.index("--constraint") + 1] == "constraints.txt"


def test_a_second_install_does_nothing(machine):
    machine.install()
    assert machine.install() == []


@pytest.mark.parametrize("name", install.INPUTS)
def test_a_changed_input_is_installed_again_into_the_same_environment(machine, name):
    machine.install()
    (machine.root / name).write_text(CONSTRAINTS + "# changed\n")
    (pip,) = machine.install()
    assert "install" in pip


def test_fewer_frameworks_than_are_there_need_nothing_and_more_do(machine):
    machine.install(["torch"])
    assert machine.install(["torch"]) == []
    assert len(machine.install(["torch", "tensorflow"])) == 1
    assert machine.install(["tensorflow"]) == []


def test_a_gpu_that_comes_or_goes_makes_the_environment_afresh(machine):
    machine.install()
    machine.gpu = True
    venv, pip = machine.install()
    assert "--clear" in venv
    assert ".[torch,tensorflow-cuda,test,browser]" in pip
    assert "torch!=2.13.0+cpu" in pip
    assert machine.install() == []
    machine.gpu = False
    assert len(machine.install()) == 2


def test_an_environment_that_works_is_kept(machine):
    machine.python.parent.mkdir(parents=True)
    machine.python.touch()
    (pip,) = machine.install()
    assert "install" in pip


def test_an_environment_without_its_python_is_made_again(machine):
    machine.install()
    machine.python.unlink()
    venv, _ = machine.install()
    assert "venv" in venv


def test_an_environment_that_was_moved_is_installed_again(machine, tmp_path_factory, monkeypatch):
    machine.install()
    moved = machine.root.rename(tmp_path_factory.mktemp("elsewhere") / "clone")
    machine.root = moved
    assert len(machine.install()) == 1


def test_an_interrupted_install_leaves_no_stamp(machine):
    machine.install()
    (machine.root / "pyproject.toml").write_text("[changed]\n")
    machine.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        machine.install()
    assert not machine.stamp.exists()
    machine.interrupted = False
    assert len(machine.install()) == 1


def test_a_failed_install_says_how_to_go_on_and_leaves_no_stamp(machine):
    machine.pip_works = False
    with pytest.raises(install.InstallError, match="make bench FRAMEWORKS=torch"):
        machine.install()
    assert not machine.stamp.exists()
    with pytest.raises(install.InstallError) as caught:
        machine.install(["torch"])
    assert "FRAMEWORKS" not in str(caught.value)


def test_a_python_without_venv_is_told_what_is_missing(machine, monkeypatch):
    monkeypatch.setattr(install, "run", lambda command: False)
    with pytest.raises(install.InstallError, match="apt install python3-venv"):
        machine.install()


def test_without_torch_pip_is_told_nothing_of_torch(machine):
    _, pip = machine.install(["tensorflow"])
    assert not [word for word in pip if word.startswith("torch")]
    assert ".[tensorflow,test,browser]" in pip


def test_the_stamp_is_json_that_says_what_was_installed(machine):
    machine.install(["torch"])
    stamp = json.loads(machine.stamp.read_text())
    assert stamp["frameworks"] == ["torch"]
    assert stamp["cuda"] is False


@pytest.mark.parametrize(
    ("system", "cuda", "offered", "expected"),
    [
        ("Linux", False, True, ["torch==2.13.0+cpu"]),
        (
            *("Linux", False, False),
            ["torch==2.13.0+cpu", "--extra-index-url", "https://download.pytorch.org/whl/cpu"],
        ),
        ("Linux", True, True, ["torch!=2.13.0+cpu"]),
        ("Darwin", False, False, []),
        ("Windows", False, False, []),
    ],
)
def test_torch_is_the_build_for_the_machine(system, cuda, offered, expected):
    asked = []

    def is_offered(requirement):
        asked.append(requirement)
        return offered

    assert install.torch_arguments(CONSTRAINTS, system, cuda, is_offered) == expected
    assert set(asked) <= {"torch==2.13.0+cpu"}


def test_constraints_without_torch_are_refused():
    with pytest.raises(install.InstallError, match="pins no torch"):
        install.torch_arguments("numpy==2.4.6\n", "Linux", False, lambda requirement: True)


def test_the_projects_own_constraints_pin_torch():
    constraints = (ROOT / "constraints.txt").read_text()
    assert install.torch_arguments(constraints, "Linux", False, lambda requirement: True)


@pytest.mark.parametrize("text", ["torch tensorflow", "tensorflow,torch", " torch  tensorflow "])
def test_frameworks_are_read_in_any_order(text):
    assert install.parse_frameworks(text) == ["torch", "tensorflow"]


@pytest.mark.parametrize("text", ["", "jax", "torch jax"])
def test_unknown_frameworks_are_refused_with_the_known_ones(text):
    with pytest.raises(install.InstallError, match="torch tensorflow"):
        install.parse_frameworks(text)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_python_with_wheels_is_accepted(version):
    install.check_python(version, ["torch", "tensorflow"])


@pytest.mark.parametrize(
    ("version", "frameworks", "remedy"),
    [
        ((3, 10), ["torch"], "3.11 or newer"),
        ((3, 14), ["torch", "tensorflow"], "FRAMEWORKS=torch"),
    ],
)
def test_a_python_without_wheels_is_refused_with_a_remedy(version, frameworks, remedy):
    with pytest.raises(install.InstallError, match=remedy):
        install.check_python(version, frameworks)


def test_a_new_python_serves_torch_alone():
    install.check_python((3, 14), ["torch"])


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_cuda_builds_are_for_linux(monkeypatch, system):
    monkeypatch.setattr(install, "succeeds", lambda command, timeout_s: True)
    assert install.has_gpu("Linux")
    assert not install.has_gpu(system)


def test_a_program_that_is_missing_fails_or_hangs_does_not_succeed():
    def python(code: str) -> list[str]:
        return [sys.executable, "-c", code]

    assert install.succeeds(python("pass"), 30)
    assert not install.succeeds(["no-such-program"], 30)
    assert not install.succeeds(python("raise SystemExit(1)"), 30)
    assert not install.succeeds(python("import time; time.sleep(60)"), 0.2)


def test_a_refusal_is_one_line_and_a_failure(capsys):
    assert install.main(["--frameworks", "jax"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "install: FRAMEWORKS names jax; there are: torch tensorflow"
    ]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs make as a user does, not as a part of the make that may run these tests."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("goal", ["compare", "regress"])
def test_make_names_the_result_that_is_missing(goal):
    done = make(goal)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "is missing; usage: make compare A=RUN B=RUN" in line


def test_make_help_lists_every_target_a_user_needs():
    listed = {line.split()[1] for line in make("help").stdout.splitlines()}
    assert listed >= {"bench", "test", "check", "report", "compare", "regress", "list", "clean"}
