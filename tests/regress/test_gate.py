"""One run of the gate, with real worker processes on the fake framework."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from regress import repository

from harness.gate.outcome import CaseOutcome, Outcome, Side, Verdict
from harness.regress import Asked, Given, regress
from harness.regress.budget import Budget
from harness.regress.gate import OUTCOME_FILE
from harness.regress.ground import Ground
from harness.regress.sides import Checkout
from harness.runner import Request
from harness.runner.sampling import Effort
from harness.runner.workers import Code
from harness.store import Journal
from harness.types import Bench, InfrastructureError

REQUEST = Request.of(
    suites=[repository.LAYERS],
    axes={
        "framework": ["fake"],
        "mode": ["forward"],
        "execution": ["eager"],
        "batch": [4],
        "device": ["cpu"],
    },
)

ENDLESS_S = 600
ENDLESS = f"""
import time

def _endless():
    counter = Path(os.environ["BUILT_SO_OFTEN"])
    with counter.open("a", encoding="ascii") as file:
        file.write("x")
    if counter.stat().st_size > int(os.environ["ENDLESS_AFTER"]):
        time.sleep({ENDLESS_S})
    return Scale(100)

ENDLESS = _layer("endless", _endless)
"""
"""Each side is built once to be counted, and then for each pair."""


def _asked(base: str, head: str, results: Path, **options: Any) -> Asked:
    settings: dict[str, Any] = {"request": REQUEST, "threshold": 0.05, "budget_s": None, **options}
    return Asked(Given(base), Given(head), results=results, command="x", **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outcome, Path, Path]]:
    """(outcome, its folder, the repository): the branch ``before`` against the working tree."""
    folder = repository.make(tmp_path_factory.mktemp("repository") / "code")
    results = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("BUILT_SO_OFTEN", str(results / "built"))
        outcome, kept = regress(_asked("before", ".", results), lambda text: None)
        yield outcome, kept, folder


def _case(outcome: Outcome, layer: str) -> CaseOutcome:
    (found,) = [case for case in outcome.cases if case.case.startswith(f"{layer}/")]
    return found


@pytest.mark.parametrize(
    ("layer", "verdict"),
    [
        ("steady", Verdict.SAME),
        ("slower", Verdict.REGRESSION),
        ("faster", Verdict.IMPROVEMENT),
        ("hungrier", Verdict.REGRESSION),
        ("wrong", Verdict.FAILED),
        ("redefined", Verdict.FAILED),
        ("crashes", Verdict.FAILED),
        ("crashes_once", Verdict.SAME),
        ("crashes_always", Verdict.NOT_COMPARED),
        ("mended", Verdict.FIXED),
        ("more_work", Verdict.REGRESSION),
        ("added", Verdict.NEW),
        ("removed", Verdict.VANISHED),
    ],
)
def test_every_case_of_either_plan_has_its_verdict(
    run: tuple[Outcome, Path, Path], layer: str, verdict: Verdict
) -> None:
    assert _case(run[0], layer).verdict is verdict


def test_the_ratio_is_the_change_that_was_made(run: tuple[Outcome, Path, Path]) -> None:
    for layer, factor in {"slower": 1.2, "faster": 0.8, "steady": 1.0}.items():
        found = _case(run[0], layer).finding("latency")
        assert found is not None
        assert found.ratio is not None
        assert found.ratio.value == pytest.approx(factor, rel=0.01)
        sides = ((found.base, found.base_interval), (found.head, found.head_interval))
        for seconds, known in sides:
            assert seconds is not None
            assert known is not None
            assert known.low < seconds < known.high


def test_only_what_changed_is_blamed(run: tuple[Outcome, Path, Path]) -> None:
    hungrier, more_work = (_case(run[0], layer) for layer in ("hungrier", "more_work"))
    assert [f.metric for f in hungrier.findings if f.verdict.bad] == ["peak_memory"]
    assert [f.metric for f in more_work.findings if f.verdict.bad] == ["flops"]


def test_failures_say_how(run: tuple[Outcome, Path, Path]) -> None:
    assert _case(run[0], "wrong").head_status == "mismatch"
    assert "reference" in _case(run[0], "redefined").reason
    assert "SIGABRT" in _case(run[0], "crashes").reason


def test_a_crash_that_does_not_repeat_is_told_and_is_no_verdict(
    run: tuple[Outcome, Path, Path],
) -> None:
    (note,) = run[0].notes
    assert "failed once, and not when tried again: crashes_once/" in note
    assert "SIGABRT" in note


def test_sides_are_told(run: tuple[Outcome, Path, Path]) -> None:
    outcome, _, folder = run
    assert outcome.base.given == "before"
    assert outcome.base.commit == repository.git(folder, "rev-parse", "before")
    assert outcome.head.commit == repository.git(folder, "rev-parse", "HEAD")
    assert outcome.base.versions == {"fake": "1.0", "fake_parts": "0.1"}


def test_the_outcome_is_kept_and_reads_back(run: tuple[Outcome, Path, Path]) -> None:
    outcome, kept, _ = run
    data = json.loads((kept / OUTCOME_FILE).read_text(encoding="utf-8"))
    assert Outcome.from_json(data) == outcome


def test_nothing_is_left_in_the_repository(run: tuple[Outcome, Path, Path]) -> None:
    folder = run[2]
    assert repository.git(folder, "worktree", "list").count("\n") == 0
    assert not repository.git(folder, "status", "--porcelain", "--", repository.LAYERS)


def test_an_ended_budget_is_told(run: tuple[Outcome, Path, Path], tmp_path: Path) -> None:
    outcome, _ = regress(_asked("before", ".", tmp_path, budget_s=1e-3), lambda text: None)
    assert _case(outcome, "slower").verdict is Verdict.INCONCLUSIVE
    assert any("budget" in note for note in outcome.notes)
    assert _case(outcome, "removed").verdict is Verdict.VANISHED


@pytest.mark.parametrize("builds", [0, 2], ids=["counting", "duel"])
def test_a_case_that_never_comes_to_its_end_is_cut_off_by_the_budget(
    builds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = repository.TEMPLATE.read_text(encoding="utf-8")
    (tmp_path / repository.LAYERS).write_text(f"{text}\n{ENDLESS}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BUILT_SO_OFTEN", str(tmp_path / "built"))
    monkeypatch.setenv("ENDLESS_AFTER", str(builds))
    request = replace(REQUEST, layers=["endless"])
    start = time.monotonic()
    outcome, _ = regress(
        _asked(".", ".", tmp_path / "results", request=request, budget_s=8), lambda text: None
    )
    assert time.monotonic() - start < ENDLESS_S / 2
    assert _case(outcome, "endless").verdict is Verdict.INCONCLUSIVE
    assert not outcome.bad
    assert any("budget" in note for note in outcome.notes)


def _two_folders(parent: Path, added: str) -> None:
    """``./before`` and ``./after``, with the template's suite and more."""
    for name, after in {"before": False, "after": True}.items():
        (parent / name).mkdir()
        text = repository.TEMPLATE.read_text(encoding="utf-8")
        text = text.replace("AFTER = False", f"AFTER = {after}")
        (parent / name / repository.LAYERS).write_text(f"{text}\n{added}", encoding="utf-8")


def test_a_count_that_rose_is_told_though_the_duel_never_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_folders(tmp_path, ENDLESS.replace("_endless)", "_endless, flops=lambda c: 4 + 4 * AFTER)"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BUILT_SO_OFTEN", str(tmp_path / "built"))
    monkeypatch.setenv("ENDLESS_AFTER", "6")  # twice to be counted, and four times to make sure
    request = replace(REQUEST, layers=["endless"])
    asked = _asked("./before", "./after", tmp_path / "results", request=request, budget_s=12)
    outcome, _ = regress(asked, lambda text: None)
    case = _case(outcome, "endless")
    assert case.verdict is Verdict.REGRESSION
    assert [found.metric for found in case.findings if found.verdict.bad] == ["flops"]


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_side_whose_workers_cannot_start(
    side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Base's is the infrastructure, head's is what head has broken."""
    _two_folders(
        tmp_path,
        f"if AFTER is {side == 'after'} and 'LAYERBENCH_WORKER' in os.environ:\n"
        "    raise RuntimeError('not here')",
    )
    monkeypatch.chdir(tmp_path)
    request = replace(REQUEST, layers=["steady"])
    asked = _asked("./before", "./after", tmp_path / "results", request=request)
    if side == "before":
        with pytest.raises(InfrastructureError, match=r"base could be started.*not here"):
            regress(asked, lambda text: None)
    else:
        outcome, _ = regress(asked, lambda text: None)
        assert _case(outcome, "steady").verdict is Verdict.FAILED


@pytest.mark.parametrize("lazy", [False, True], ids=["on import", "in a call"])
def test_a_side_that_imports_the_others_code_is_refused(
    lazy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a package is installed in editable mode, or put on the path by hand."""
    folder = repository.make(tmp_path / "code")
    (folder / "deep").mkdir()
    (folder / "deep" / "helper.py").touch()
    text = (folder / repository.LAYERS).read_text()
    where = "    def __call__(self, x: Array) -> Array:\n" if lazy else "import os\n"
    text = text.replace(where, f"{where}{'        ' if lazy else ''}import helper\n", 1)
    repository.commit(folder, text, "with a helper")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder / "deep"))
    request = replace(REQUEST, layers=["steady"])
    with pytest.raises(InfrastructureError, match=r"base \(HEAD\) imports helper .*the same"):
        regress(_asked("HEAD", ".", tmp_path / "results", request=request), lambda text: None)


def test_the_same_commit_on_both_sides_is_told(
    run: tuple[Outcome, Path, Path], tmp_path: Path
) -> None:
    asked = _asked("before", "before~0", tmp_path, request=replace(REQUEST, layers=["steady"]))
    outcome, _ = regress(asked, lambda text: None)
    assert any("the same commit" in note for note in outcome.notes)


def test_a_first_call_compiles_in_a_cold_pair_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches: list[Path] = []
    monkeypatch.setattr(
        "harness.regress.ground.start", lambda *args, **options: caches.append(options["compiled"])
    )
    checkout = Checkout(Side("."), Code(), (), (), str(tmp_path))
    with Journal(tmp_path) as journal:
        ground = Ground({"base": checkout}, tmp_path, journal, Effort(0.01, 0.1, 1), Budget(None))
        for cold in (True, True, False, False):
            ground.duelling("base", Bench("fake", "cpu", 1), cold)
        assert len(set(caches)) == 3
        assert caches[2] == caches[3]
        assert not any(list(cache.iterdir()) for cache in caches[:2])
        ground.clear()
    assert not any(cache.exists() for cache in caches)
