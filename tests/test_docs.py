"""What the documentation says is true."""

from __future__ import annotations

import re
from pathlib import Path

import harness
from harness import catalogue, frameworks, store

ROOT = Path(harness.__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "rms_norm_suite.py"


def test_the_layer_of_the_contributing_guide_runs_as_it_stands(tmp_path: Path) -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert EXAMPLE.read_text(encoding="utf-8").rstrip() in guide
    frame = harness.run(
        "quick",
        layers=["own_rms_norm"],
        suites=[str(EXAMPLE)],
        framework=[name for name in frameworks.names() if frameworks.installed(name)],
        execution=["eager"],
        batch=[2],
        seq=[4],
        passes=1,
        results=tmp_path,
    )
    assert set(frame["status"]) == {"ok"}, frame["reason"].tolist()
    assert set(frame["mode"]) == {"forward", "train"}


def test_every_column_is_documented() -> None:
    text = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE)) == set(store.COLUMNS)


def test_the_layers_of_attention_are_documented_as_they_are_declared() -> None:
    text = (ROOT / "docs" / "attention.md").read_text(encoding="utf-8")
    declared = [
        f"| `{layer.name}` | {layer.complexity} | "
        f"{', '.join(f'`{name}`' for name in layer.presets['textbook'])} | {layer.source} |"
        for layer in catalogue.load().values()
        if layer.complexity
    ]
    assert [line for line in text.splitlines() if line.startswith("| `")] == declared


def test_links_between_the_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"
