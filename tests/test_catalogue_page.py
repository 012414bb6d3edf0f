"""docs/catalogue.md tells what the example's results tell."""

from __future__ import annotations

from pathlib import Path

from harness import catalogue, coverage, store
from tools.catalogue import PAGE, RESULTS, render

ROOT = Path(__file__).parents[1]


def test_the_page_is_made_of_the_example() -> None:
    frame, runs = store.load(ROOT / RESULTS), store.load_runs(ROOT / RESULTS)
    made = render(frame, runs, catalogue.load(), coverage.own())
    assert made == (ROOT / PAGE).read_text(encoding="utf-8"), "run python -m tools.catalogue"
