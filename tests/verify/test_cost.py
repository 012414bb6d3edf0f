"""What others took is brought to the same width before it is compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_runs import request

from harness import stats, store
from harness.stats import Interval
from harness.verify import cost, other_tools
from harness.verify.ledger import timed_s
from harness.verify.row import Verdict


def spread(count: int, width: float) -> list[float]:
    """Blocks in an order without pattern, whose median is 1 and whose range is ±`width`."""
    values = np.linspace(1 - width, 1 + width, count)
    return list(map(float, np.random.default_rng(0).permutation(values)))


def test_samples_that_suffice_are_stopped_by_our_rule_and_what_is_beside_them_stays() -> None:
    spent = other_tools.Spent(taken_s=4.0, sampling_s=3.0, blocks=spread(300, 0.001), extras_s=0.5)
    assert spent.at_width() == pytest.approx(1 + 3 * stats.ENOUGH_SAMPLES / 300)
    assert spent.at_width(extras=False) == pytest.approx(0.5 + 3 * stats.ENOUGH_SAMPLES / 300)
    assert other_tools.rows_a_minute([spent] * 2) == pytest.approx(60 / spent.at_width())


def test_where_samples_do_not_suffice_four_times_as_many_halve_the_width() -> None:
    blocks = spread(200, 0.2)
    width = other_tools.Spent(1.0, 1.0, blocks).width
    assert other_tools.needed(blocks) == pytest.approx(200 * (width / other_tools.WIDTH) ** 2)
    assert other_tools.needed(spread(8, 0.001)) == stats.ENOUGH_SAMPLES


def test_single_calls_are_gathered_into_blocks_like_ours() -> None:
    assert other_tools.in_blocks([0.4e-3, 0.6e-3, 0.2e-3, 1.0e-3, 0.1e-3], 1) == pytest.approx(
        [0.5e-3, 0.6e-3]
    )
    assert other_tools.in_blocks([2e-3, 3e-3], 1) == [2e-3, 3e-3]
    assert other_tools.in_blocks([1e-6] * 4, 500) == pytest.approx([1e-6] * 2)


def test_how_much_faster_another_tool_is_goes_case_by_case() -> None:
    ours = [other_tools.Spent(one, 0.0, [1.0] * 30) for one in (1.0, 20.0, 3.0)]
    theirs = [other_tools.Spent(one, 0.0, [1.0] * 30) for one in (0.5, 10.0, 1.5)]
    assert other_tools.faster(ours, theirs).value == pytest.approx(2)


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (Interval(0.6, 0.5, 0.7), Verdict.OK),
        (Interval(1.04, 1.02, 1.06), Verdict.OK),
        (Interval(1.3, 0.9, 1.9), Verdict.UNCLEAR),
        (Interval(1.3, 1.2, 1.4), Verdict.FAILS),
    ],
)
def test_a_tool_that_is_faster_with_certainty_fails_ours(ratio: Interval, verdict: Verdict) -> None:
    assert other_tools.verdict_on(ratio) is verdict


def test_the_first_call_warm_up_samples_and_pairs_count_as_timed() -> None:
    assert timed_s({"do": "prepare"}, {"first_call_s": 2.0}) == 2.0
    assert timed_s({"do": "run", "calls": 3}, {"wall_s": [1.0, 2.0]}) == 9.0
    pairs = {"wall_s": [1.0], "doubled_s": [1.0]}
    assert timed_s({"do": "pairs", "calls": 3}, pairs) == 9.0
    assert timed_s({"do": "memory"}, {"peak_bytes": 5}) == 0.0


def test_the_time_of_a_sweep_is_told_by_request() -> None:
    share, where = cost._of_sweep(request())
    assert share.check == "share of quick inside timed calls"
    assert where.verdict is Verdict.NOTED
    for what in ("start", "prepare", "check", "run", "memory", "the parent"):
        assert what in where.found


def test_a_synthetic_journal_loads_as_rows(tmp_path: Path) -> None:
    cost.write_journal(tmp_path, 20)
    frame = store.load(tmp_path)
    assert len(frame) == 20
    assert set(frame["status"]) == {"ok"}
    assert frame["samples"].tolist() == [cost.SAMPLES] * 20
