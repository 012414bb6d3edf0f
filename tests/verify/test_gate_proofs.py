"""The proofs of the gate: what they make of what the tools found, and a real commit."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import outcomes
import pytest
from regress.repository import git

import harness
from harness import frameworks
from harness.gate.outcome import Outcome, Side, Verdict
from harness.types import UsageError
from harness.verify import table
from harness.verify.gate import asv, cost, real, repository
from harness.verify.gate.cost import ASV, OURS, PYTEST_BENCHMARK, Compared
from harness.verify.gate.runs import Typed, share_packages, typed
from harness.verify.row import Row
from harness.verify.row import Verdict as Checked

GATE = Path(harness.__file__).parents[1] / "docs" / "gate.md"
CHANGED = "self_attention/torch/cpu/forward/eager/float32/b8-s64-dim=64-heads=4"
KEPT = "gated/torch/cpu/forward/eager/float32/b8-s64-dim=64"


def _costs(ours: Sequence[float], slower: int = 0) -> dict[str, list[Compared]]:
    return {
        OURS: [Compared(seconds, slower) for seconds in ours],
        PYTEST_BENCHMARK: [Compared(10.0, 4), Compared(40.0, 3), Compared(10.0, 5)],
        ASV: [Compared(100.0, 0), Compared(20.0, 1), Compared(100.0, 0)],
    }


def test_a_verdict_is_held_against_the_quickest_other_of_the_same_round() -> None:
    ratio, text = cost.times_the_cheapest(_costs([30.0, 30.0, 50.0]))
    assert ratio == 3.0
    assert text == "3.00 (1.50 to 5.00 in 3 rounds)"


@pytest.mark.parametrize(
    ("seconds", "slower", "failing"),
    [
        (60.0, 0, set()),
        (61.0, 0, {"times the cheapest"}),
        (60.0, 1, {"called slower"}),
    ],
)
def test_ours_fails_if_it_is_too_dear_or_wrong_and_the_others_are_noted(
    seconds: float, slower: int, failing: set[str]
) -> None:
    rows = list(cost.judge(_costs([seconds] * 3, slower), 12))
    failed = [row.check for row in rows if row.verdict is Checked.FAILS]
    assert all(any(part in check for part in failing) for check in failed)
    assert len(failed) == len(failing)
    (theirs,) = [row for row in rows if row.check.endswith(f"by {PYTEST_BENCHMARK}")]
    assert theirs.verdict is Checked.NOTED
    assert theirs.found.startswith("12 of 36: 33.3% (")


def test_where_asv_is_not_installed_the_proof_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asv, "NEEDED", ("asv_that_nobody_has", "json"))
    with (
        pytest.raises(asv.UnavailableError, match=r"^asv_that_nobody_has not installed$"),
        asv.project([]),
    ):
        pass


@pytest.mark.parametrize(
    ("status", "said", "slower"),
    [(0, "| - | 2 | 1 | 0.50 | a |", 0), (1, "| Change |\n| + | 1 | 2 | 2 | a |\n| + | b |", 2)],
)
def test_what_asv_calls_slower_is_counted(
    status: int, said: str, slower: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _asv_says(status, said, monkeypatch)
    assert asv.continuous(tmp_path, 0.05) == slower


@pytest.mark.parametrize(("status", "said"), [(2, "failed"), (1, "no table"), (0, "| + | a |")])
def test_asv_that_did_not_measure_is_no_asv_without_alarm(
    status: int, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _asv_says(status, said, monkeypatch)
    with pytest.raises(RuntimeError, match="asv continuous ended with"):
        asv.continuous(tmp_path, 0.05)


def _asv_says(status: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def done(*_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess((), status, said)

    monkeypatch.setattr(asv, "_asv", done)


def test_the_library_has_two_commits_and_the_second_drops_the_fused_attention(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "library"
    repository.library(folder)
    assert git(folder, "rev-list", "--count", "HEAD") == "2"
    assert git(folder, "diff", "--name-only", "HEAD~1") == "small_layers/blocks.py"
    assert "scaled_dot_product" in git(folder, "show", "HEAD~1:small_layers/blocks.py")
    assert "scaled_dot_product" not in git(folder, "show", "HEAD:small_layers/blocks.py")
    assert git(folder, "status", "--porcelain") == ""
    assert (folder / repository.SUITE).is_file()


def _commits(changed: Verdict, kept: Verdict, status: int = 1) -> list[Row]:
    cases = (
        outcomes.case(
            CHANGED, outcomes.latency(1.5, changed), outcomes.exact("operators", 10, 14, changed)
        ),
        outcomes.case(KEPT, outcomes.latency(1.0, kept)),
    )
    return list(real.judge_commits(Typed(outcomes.outcome(*cases), status, 1.0)))


@pytest.mark.parametrize(
    ("changed", "kept", "status", "verdicts"),
    [
        (Verdict.REGRESSION, Verdict.SAME, 1, ["ok", "ok", "ok"]),
        (Verdict.SAME, Verdict.SAME, 0, ["FAILS", "ok", "FAILS"]),
        (Verdict.REGRESSION, Verdict.REGRESSION, 1, ["ok", "FAILS", "ok"]),
        (Verdict.REGRESSION, Verdict.INCONCLUSIVE, 1, ["ok", "unclear", "ok"]),
    ],
)
def test_only_the_layer_that_changed_may_be_blamed(
    changed: Verdict, kept: Verdict, status: int, verdicts: list[str]
) -> None:
    assert [str(row.verdict) for row in _commits(changed, kept, status)] == verdicts


def test_what_changed_is_told_beside_the_verdict() -> None:
    assert _commits(Verdict.REGRESSION, Verdict.SAME)[0].found == (
        "regression: latency 1.50, operators 1.40 of base"
    )


def _upgraded(base: str, head: str, *verdicts: Verdict) -> Outcome:
    cases = [
        outcomes.case(f"{layer}/tensorflow", outcomes.latency(1.0, verdict))
        for layer, verdict in zip(real.TENSORFLOW, verdicts, strict=False)
    ]
    sides = {
        "base": Side("a", versions={"keras": base}),
        "head": Side("b", versions={"keras": head}),
    }
    return replace(outcomes.outcome(*cases), **sides)


@pytest.mark.parametrize(
    ("outcome", "verdicts"),
    [
        (_upgraded("3.1", "3.2", *[Verdict.SAME] * 6), ["ok", "ok"]),
        (_upgraded("3.2", "3.2", *[Verdict.SAME] * 6), ["FAILS", "ok"]),
        (_upgraded("3.1", "3.2", *[Verdict.SAME] * 5), ["ok", "FAILS"]),
        (
            _upgraded("3.1", "3.2", *[Verdict.SAME] * 5, Verdict.NOT_COMPARED),
            ["ok", "FAILS"],
        ),
    ],
)
def test_an_upgrade_tells_both_versions_and_leaves_no_case_out(
    outcome: Outcome, verdicts: list[str]
) -> None:
    rows = real.judge_upgrade(outcome, ("3.1", "3.2"))
    assert [str(row.verdict) for row in rows] == verdicts


def test_another_environment_has_these_packages_and_its_own_first(tmp_path: Path) -> None:
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(tmp_path)}))
    packages.mkdir(parents=True)
    (packages / "yaml.py").write_text("", encoding="utf-8")
    share_packages(packages)
    code = (
        f"import site; site.addsitedir({str(packages)!r})\n"
        "import numpy, harness, yaml\nprint(harness.__file__, yaml.__file__, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, text=True, capture_output=True, check=True
    )
    assert done.stdout.splitlines() == [harness.__file__, str(packages / "yaml.py")]


def test_a_gate_that_ends_without_an_outcome_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"regress ended with 2: [^$]*no_such_ref"):
        typed(tmp_path, "--base=no_such_ref")


def test_the_tables_of_the_gate_have_their_sections() -> None:
    names = ["gate-same", "gate-power", "gate-cost", "gate-real"]
    text = table.check(GATE, names)
    assert text == GATE.read_text(encoding="utf-8")
    with pytest.raises(UsageError):
        table.check(GATE, ["gate-nothing"])


@pytest.mark.skipif(not frameworks.installed("torch"), reason="torch is not installed")
def test_a_fused_attention_that_is_dropped_closes_the_gate() -> None:
    """Operators and bytes decide; the budget ends before time could."""
    found = real.fused_dropped("--mode=forward", "--budget=60s")
    changed, kept = (
        next(case for case in found.outcome.cases if case.case == name) for name in (CHANGED, KEPT)
    )
    assert changed.verdict is Verdict.REGRESSION
    blamed = {finding.metric for finding in changed.findings if finding.verdict.bad}
    assert {"operators", "allocated"} <= blamed
    assert not kept.verdict.bad
    assert found.status == 1
