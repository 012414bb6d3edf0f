"""Where the code of each side lies, for all the ways in which it can be named."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from regress.repository import git

from harness.regress import WORKING_TREE, Given
from harness.regress.sides import Checkout, checked_out, homes
from harness.types import InfrastructureError, UsageError

NAMES = ["feature/of-a'b\"c$(d);e", "ünï/🐌", "a&b<i>", "x" * 200]
"""Of branches, as git allows them."""


def _commit(folder: Path, message: str, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits: ``layers.py`` says 1, then 2; a tag, a remote's branch, a package in ``src``."""
    folder = tmp_path_factory.mktemp("sides") / "code"
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    (folder / "src" / "package").mkdir(parents=True)
    (folder / "src" / "package" / "__init__.py").write_text("")
    (folder / "part").mkdir()
    (folder / "part" / "inner.py").write_text("")
    _commit(folder, "one", layers="1")
    git(folder, "tag", "v1.0")
    for name in NAMES:
        git(folder, "branch", name)
    git(folder, "update-ref", "refs/remotes/origin/theirs", "HEAD")
    _commit(folder, "two", layers="2", added="")
    return folder


@pytest.fixture
def code(template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The repository, which is also the working directory; no worktree may be left of it."""
    monkeypatch.chdir(template)
    yield template
    assert git(template, "worktree", "list").count("\n") == 0
    git(template, "checkout", "-q", ".")


def _text(checkout: Checkout) -> str:
    (suite,) = checkout.suites
    return Path(suite).read_text(encoding="utf-8")


def _seen(code: str, suite: str = "layers.py", *others: str) -> str:
    """What the side's suite says."""
    given = Given(code)
    with checked_out(given, [suite], homes(given, *map(Given, others))) as checkout:
        return _text(checkout)


@pytest.mark.parametrize("ref", ["v1.0", "main~1", "theirs", "origin/theirs", *NAMES])
def test_a_ref_of_any_kind_is_checked_out(code: Path, ref: str) -> None:
    assert _seen(ref) == "1"


def test_a_commit_is_a_ref(code: Path) -> None:
    commit = git(code, "rev-parse", "main~1")
    for ref in (commit, commit[:10]):
        with checked_out(Given(ref), ["layers.py"], homes()) as checkout:
            assert (checkout.side.given, checkout.side.commit) == (ref, commit)
            assert _text(checkout) == "1"


def test_the_working_tree_is_as_it_lies_and_says_so(code: Path) -> None:
    with checked_out(Given(WORKING_TREE), ["layers.py"], homes()) as checkout:
        assert not checkout.side.dirty
    (code / "layers.py").write_text("3")
    with checked_out(Given(WORKING_TREE), ["layers.py"], homes()) as checkout:
        assert _text(checkout) == "3"
        assert checkout.side.dirty
        assert checkout.side.commit == git(code, "rev-parse", "HEAD")
    assert _seen("main") == "2", "a ref is not changed by what lies in the working tree"


def test_a_folder_may_be_a_side_of_its_own(code: Path, tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text("4")
    assert _seen(str(tmp_path)) == "4"
    assert _seen(str(tmp_path), str(code / "layers.py")) == "4", "the same file of that side"
    with checked_out(Given(str(tmp_path)), [], homes()) as checkout:
        assert checkout.side.commit == ""


def test_a_suite_named_as_it_lies_in_both_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "layers.py").write_text(name)
    for suite in ("layers.py", "new/layers.py", str(tmp_path / "old" / "layers.py")):
        assert _seen("old", suite, "new") == "old"
        assert _seen("new", suite, "old") == "new"


def test_a_part_of_the_repository_is_the_same_part_of_a_ref(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(code / "part")
    assert _seen("main~1", "../layers.py") == "1"
    with checked_out(Given("main~1"), ["inner.py"], homes()) as checkout:
        assert Path(checkout.suites[0]).parent.name == "part"
        roots = [Path(root) for root in checkout.code.roots]
    assert [roots[0].name, roots[1]] == ["part", roots[0].parent]


@pytest.mark.parametrize("ref", ["main~1", WORKING_TREE])
def test_the_code_is_found_in_the_repository_and_in_its_src(code: Path, ref: str) -> None:
    with checked_out(Given(ref), [], homes()) as checkout:
        assert any((Path(root) / "package").is_dir() for root in checkout.code.roots)
        assert any((Path(root) / "layers.py").is_file() for root in checkout.code.roots)


def test_a_suite_that_a_side_lacks_is_told(code: Path) -> None:
    with checked_out(Given("main~1"), ["added.py", "layers.py"], homes()) as checkout:
        assert [Path(file).name for file in checkout.lacking] == ["added.py"]
        assert [Path(file).name for file in checkout.suites] == ["layers.py"]


def test_a_suite_from_elsewhere_is_the_same_for_every_side(code: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("5")
    assert _seen("main~1", str(tmp_path / "mine.py")) == "5"


def test_a_suite_may_be_a_module(code: Path) -> None:
    with checked_out(Given("main~1"), ["package.bench"], homes()) as checkout:
        assert checkout.suites == ("package.bench",)
        assert checkout.lacking == ()


def test_a_branch_named_as_a_folder_is_the_branch_unless_written_as_a_path(code: Path) -> None:
    (code / "both").mkdir()
    (code / "both" / "layers.py").write_text("6")
    git(code, "branch", "both", "main~1")
    try:
        assert _seen("both") == "1"
        assert _seen("./both", "both/layers.py") == "6"
        assert _seen(f"{code}/both", "both/layers.py") == "6"
    finally:
        git(code, "branch", "-D", "both")
        (code / "both" / "layers.py").unlink()
        (code / "both").rmdir()


@pytest.mark.parametrize("ref", ["-h", "--output=x", "nothing", "main..main~1", "a b", "\n", ":/x"])
def test_what_is_no_commit_is_refused_in_a_line(code: Path, ref: str) -> None:
    with (
        pytest.raises(UsageError, match="neither a folder nor a branch"),
        checked_out(Given(ref), [], homes()),
    ):
        pass
    assert not (code / "x").exists()


def test_a_shallow_clone_says_what_to_fetch(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{code}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    with pytest.raises(UsageError, match="git fetch"), checked_out(Given("HEAD~1"), [], homes()):
        pass


def test_a_ref_needs_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(UsageError, match="in no git repository"),
        checked_out(Given("main"), [], homes()),
    ):
        pass


def test_a_folder_that_is_no_repository_is_a_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "layers.py").write_text("7")
    assert _seen(WORKING_TREE) == "7"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_worktree_goes_whatever_happens(code: Path, error: type[BaseException]) -> None:
    roots: list[str] = []

    def fail() -> None:
        with checked_out(Given("main"), ["layers.py"], homes()) as checkout:
            roots.extend(checkout.code.roots)
            raise error

    with pytest.raises(error):
        fail()
    assert not Path(roots[0]).exists()


def test_a_worktree_whose_making_is_interrupted_leaves_nothing(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run = subprocess.run

    def interrupted(command: list[str], **options: object) -> object:
        done = run(command, **options)  # type: ignore[call-overload]
        if "add" in command:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt), checked_out(Given("main"), [], homes()):
        pass
    assert not list(tmp_path.iterdir())  # and the fixture sees that git has no record of it


def test_a_hook_of_git_keeps_its_index(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(code / ".git" / "index"))
    assert _seen("main~1") == "1"
    assert git(code, "ls-files").count("added.py") == 1


def test_a_checkout_that_git_refuses_is_the_infrastructure(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = code / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'no, thanks' >&2\nexit 1\n")
    hook.chmod(0o755)
    try:
        with (
            pytest.raises(InfrastructureError, match="no, thanks"),
            checked_out(Given("main"), [], homes()),
        ):
            pass
    finally:
        hook.unlink()


def test_an_interpreter_is_found_as_a_shell_finds_it(code: Path) -> None:
    with checked_out(Given(python=sys.executable), [], homes()) as checkout:
        assert checkout.code.python == sys.executable
        assert sys.executable in checkout.side.given


@pytest.mark.parametrize("python", ["no-such-python", ".", "layers.py"])
def test_what_is_no_interpreter_is_refused(code: Path, python: str) -> None:
    with (
        pytest.raises(UsageError, match="no interpreter"),
        checked_out(Given(python=python), [], homes()),
    ):
        pass
