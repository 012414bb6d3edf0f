"""The action and the example workflows: what they may do, and what hostile input does to them.

Their shell is run as it stands, with stand-ins for the programs that it calls.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import outcomes
import pytest
import yaml

import harness
from harness.report.gate import FORMATS

ROOT = Path(harness.__file__).parents[1]
ACTION = ROOT / ".github" / "actions" / "regress"
REGRESS = ROOT / "docs" / "ci" / "regress.yml"
COMMENT = ROOT / "docs" / "ci" / "regress-comment.yml"
PINNED = re.compile(r"actions/[\w-]+@v\d+|OWNER/layerbench/[\w./-]+@COMMIT|[\w./-]+@[0-9a-f]{40}")

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq here")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(document: Any) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or an action."""
    for job in document.get("jobs", {}).values():
        yield from job["steps"]
    yield from document.get("runs", {}).get("steps", [])


def step(path: Path, name: str) -> dict[str, Any]:
    return next(each for each in steps(read(path)) if each.get("name") == name)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder at the front of the path, for stand-ins."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def stand_in(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)


def bash(script: str, folder: Path, programs: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a folder as a runner does: errors end it, in pipes too."""
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("path", [ACTION / "action.yml", REGRESS, COMMENT], ids=lambda p: p.stem)
def test_no_expression_is_written_into_a_script_and_all_that_is_used_is_pinned(path: Path) -> None:
    document = read(path)
    found = list(steps(document))
    assert found
    for each in found:
        assert "${{" not in each.get("run", "")
        assert PINNED.fullmatch(each.get("uses", "actions/none@v1"))
    assert "pull_request_target" not in path.read_text(encoding="utf-8")


def test_the_run_on_a_pull_request_may_only_read() -> None:
    document = read(REGRESS)
    assert document["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in document["jobs"].values())
    assert "secrets" not in REGRESS.read_text(encoding="utf-8")
    (checkout,) = (each for each in steps(document) if "checkout" in each.get("uses", ""))
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}


def test_the_commenter_runs_nothing_of_the_pull_request() -> None:
    document = read(COMMENT)
    assert document["permissions"] == {}
    assert document["jobs"]["comment"]["permissions"] == {
        "actions": "read",
        "pull-requests": "write",
    }
    assert document[True] == {  # YAML 1.1 reads the key "on" so
        "workflow_run": {"workflows": [read(REGRESS)["name"]], "types": ["completed"]}
    }
    assert not any("checkout" in each.get("uses", "") for each in steps(document))
    for each in steps(document):
        if "layerbench regress" in each.get("run", ""):
            assert "GH_TOKEN" not in each.get("env", {})


def test_the_example_gives_the_action_inputs_that_it_has() -> None:
    action = read(ACTION / "action.yml")
    (used,) = (each for each in steps(read(REGRESS)) if "regress@" in each.get("uses", ""))
    assert set(used["with"]) <= set(action["inputs"])
    (only,) = action["runs"]["steps"]
    assert only["env"] == {name.upper(): f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}


@needs_bash
@pytest.mark.parametrize(
    "hostile", [*outcomes.HOSTILE[:6], outcomes.HOSTILE[10], "$(touch x) `id`"]
)
def test_every_input_is_one_word_of_the_command(
    tmp_path: Path, programs: Path, hostile: str
) -> None:
    stand_in(programs, "layerbench", 'printf "%s\\0" "$@" > words; exit 5')
    env = {name.upper(): "" for name in read(ACTION / "action.yml")["inputs"]}
    env |= {"BASE": hostile, "HEAD": hostile, "THRESHOLD": hostile, "BUDGET": hostile}
    env |= {"SUITE": f"{hostile}\n\nb c.py", "ARGS": f"--layers=a b\n{hostile}", "STRICT": "true"}
    env |= {"FORMATS": "json=o.json\njunit=o.xml\n", "SWEEP": hostile}
    env |= {"GITHUB_STEP_SUMMARY": "a summary.md"}
    done = bash(str(ACTION / "run.sh"), tmp_path, programs, **env)
    assert done.returncode == 5, done.stderr
    words = (tmp_path / "words").read_text().split("\0")[:-1]
    assert words == [
        "regress", f"--base={hostile}", f"--head={hostile}", f"--threshold={hostile}",
        f"--suite={hostile}", "--suite=b c.py", "--format=json=o.json", "--format=junit=o.xml",
        "--format=summary=a summary.md", f"--budget={hostile}", "--strict",
        "--layers=a b", hostile, hostile,
    ]  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {"programs", "words"}


@needs_bash
def test_inputs_that_are_empty_leave_no_word(tmp_path: Path, programs: Path) -> None:
    stand_in(programs, "layerbench", 'printf "%s\\0" "$@" > words')
    env = {name.upper(): "" for name in read(ACTION / "action.yml")["inputs"]}
    given = {**env, "BASE": "main", "HEAD": "HEAD", "THRESHOLD": "5%"}
    done = bash(str(ACTION / "run.sh"), tmp_path, programs, **{**given, "STRICT": "yes"})
    assert (done.returncode, done.stderr) == (2, "strict is true or false, not yes\n")
    done = bash(str(ACTION / "run.sh"), tmp_path, programs, **{**given, "STRICT": "false"})
    assert done.returncode == 0, done.stderr
    words = (tmp_path / "words").read_text().split("\0")[:-1]
    assert words == ["regress", "--base=main", "--head=HEAD", "--threshold=5%"]


def taken(folder: Path, programs: Path, archive: Path, size: int) -> tuple[int, str]:
    """What the commenter makes of an archive: the exit status of the step, and its output."""
    answer = {"artifacts": [{"id": 7, "size_in_bytes": size, "created_at": "2026-11-20"}]}
    (folder / "answer.json").write_text(json.dumps(answer))
    stand_in(programs, "gh", f'case "$*" in *zip) cat "{archive}";; *) cat answer.json;; esac')
    found = step(COMMENT, "Take the outcome out of the artifact")
    env = {"GH_TOKEN": "x", "REPOSITORY": "a/b", "RUN_ID": "1", "GITHUB_OUTPUT": "output"}
    env["LIMIT_BYTES"] = found["env"]["LIMIT_BYTES"]
    done = bash(found["run"], folder, programs, **env)
    return done.returncode, done.stdout + done.stderr


@needs_jq
@needs_bash
def test_only_the_outcome_is_taken_out_of_the_artifact(tmp_path: Path, programs: Path) -> None:
    content = FORMATS["json"](outcomes.full())
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as archive:
        archive.writestr("outcome.json", content)
        archive.writestr("../escaped", "x")
        archive.writestr("comment.md", "@everyone")
    work = tmp_path / "work"
    work.mkdir()
    assert taken(work, programs, tmp_path / "given.zip", 1000) == (0, "")
    assert (work / "outcome.json").read_text() == content
    assert (work / "output").read_text() == "found=true\n"
    assert not (work / "comment.md").exists()
    assert not (tmp_path / "escaped").exists()


@needs_jq
@needs_bash
def test_what_is_too_large_or_no_archive_is_refused(tmp_path: Path, programs: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("outcome.json", b"0" * 6_000_000)
    assert bomb.stat().st_size < 10_000
    status, told = taken(tmp_path, programs, bomb, bomb.stat().st_size)
    assert (status, told) == (1, "::error::outcome.json is too large.\n")
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("other.json", "{}")
    status, told = taken(tmp_path, programs, bomb, 10)
    assert (status, "holds no outcome.json" in told) == (1, True)
    bomb.write_bytes(b"PK\x03\x04 nothing")
    assert taken(tmp_path, programs, bomb, 10)[0] == 1
    status, told = taken(tmp_path, programs, bomb, 6_000_000)
    assert (status, "too large" in told) == (0, True)
    assert not (tmp_path / "outcome.json").exists()
    assert not (tmp_path / "output").exists()


@needs_jq
@needs_bash
@pytest.mark.parametrize(
    ("pulls", "number"),
    [([(4, "mine")], "4"), ([(4, "mine"), (5, "old")], "4"), ([(5, "old")], ""), ([], ""),
     ([(4, "mine"), (6, "mine")], "")],
)  # fmt: skip
def test_the_pull_request_is_the_one_whose_head_was_run(
    tmp_path: Path, programs: Path, pulls: list[tuple[int, str]], number: str
) -> None:
    answer = [{"number": each, "head": {"sha": sha}} for each, sha in pulls]
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    stand_in(programs, "gh", 'printf "%s\\n" "$@" > words; cat answer.json')
    hostile = "someone:$(touch x)`id`;'"
    env = {"REPOSITORY": "a/b", "HEAD_LABEL": hostile, "HEAD_SHA": "mine", "GH_TOKEN": "x"}
    script = step(COMMENT, "Find the pull request")["run"]
    done = bash(script, tmp_path, programs, **env, GITHUB_OUTPUT="output")
    assert done.returncode == 0, done.stderr
    assert f"head={hostile}" in (tmp_path / "words").read_text().splitlines()
    output = tmp_path / "output"
    assert (output.read_text() if output.exists() else "") == (f"number={number}\n" * bool(number))


@needs_bash
@pytest.mark.parametrize(
    ("status", "content", "ended"),
    [
        (1, FORMATS["markdown"](outcomes.full()), 0),
        (2, FORMATS["markdown"](outcomes.full()), 2),
        (0, "@everyone", 1),
        (0, FORMATS["markdown"](outcomes.full()) + "x" * 65_536, 1),
    ],
    ids=["regression", "no outcome", "no marker", "too long"],
)
def test_only_a_comment_of_layerbench_is_written(
    tmp_path: Path, programs: Path, status: int, content: str, ended: int
) -> None:
    (tmp_path / "rendered").write_text(content)
    stand_in(programs, "pip", "true")
    stand_in(programs, "layerbench", f"cp rendered comment.md; exit {status}")
    done = bash(step(COMMENT, "Write the comment anew")["run"], tmp_path, programs)
    assert done.returncode == ended


@needs_jq
@needs_bash
@pytest.mark.parametrize("exists", [False, True])
def test_a_comment_of_ours_is_updated_and_nobody_elses(
    tmp_path: Path, programs: Path, exists: bool
) -> None:
    body = FORMATS["markdown"](outcomes.full())
    bot = {"login": "github-actions[bot]"}
    others = [
        {"id": 1, "user": {"login": "someone"}, "body": body},
        {"id": 2, "user": bot, "body": "of another workflow"},
    ]
    pages = [others, [{"id": 3, "user": bot, "body": body}] if exists else []]
    (tmp_path / "answer.json").write_text("".join(map(json.dumps, pages)))
    stand_in(programs, "gh", 'echo "$*" >> calls; case "$*" in *paginate*) cat answer.json;; esac')
    script = step(COMMENT, "Comment, or update the comment")["run"]
    done = bash(script, tmp_path, programs, REPOSITORY="a/b", NUMBER="4", GH_TOKEN="x")
    assert done.returncode == 0, done.stderr
    last = (tmp_path / "calls").read_text().splitlines()[-1]
    assert last == (
        "api --method PATCH repos/a/b/issues/comments/3 -F body=@comment.md"
        if exists
        else "api --method POST repos/a/b/issues/4/comments -F body=@comment.md"
    )
