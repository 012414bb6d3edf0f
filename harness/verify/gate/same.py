"""A/A: the gate on code that has not changed, quiet and beside hogs. Every alarm is a false one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.gate.outcome import CaseOutcome, Outcome, Verdict
from harness.runner import Request, make_plan
from harness.stats import share_interval
from harness.verify import bench
from harness.verify.gate.runs import CHANGED, CONDITIONS, THRESHOLD, run
from harness.verify.row import Row, judged, noted, share, skipped

RUNS = {"quiet": 13, "beside a hog on every core": 6}
"""By condition; a run takes more than twice as long where half of each core is taken."""
FALSE_CASES = 0.01
FALSE_RUNS = 0.05
FORWARD = (
    *("dense", "conv2d", "simple_rnn", "lstm", "gru", "batch_norm", "attention"),
    *("attention_projected", "multi_head_attention", "grouped_query_attention"),
    *("sliding_window_attention", "linear_attention"),
)
TRAIN = ("dense", "conv2d", "lstm", "gru", "multi_head_attention", "batch_norm")
TENSORFLOW = ("dense", "conv2d", "lstm", "attention", "multi_head_attention", "batch_norm")


def requests() -> Iterator[Request]:
    """What one run compares, in parts that a request can say."""
    sizes = {"batch": [32], "seq": [32]}
    torch = {"framework": ["torch"], "execution": ["eager"], **sizes}
    tensorflow = {"framework": ["tensorflow"], "execution": ["compiled"], **sizes}
    yield Request.of(layers=FORWARD, axes={**torch, "mode": ["forward"]})
    yield Request.of(layers=TRAIN, axes={**torch, "mode": ["train"]})
    yield Request.of(layers=TENSORFLOW, axes={**tensorflow, "mode": ["forward"]})


def rows() -> Iterator[Row]:
    if missing := {"torch", "tensorflow"} - set(bench.installed()):
        yield skipped("A/A", "no alarm", f"{' and '.join(sorted(missing))} not installed")
        return
    cases = [case.id for request in requests() for case in make_plan(request).cases]
    for condition, context in CONDITIONS.items():
        with context():
            seeds = range(RUNS[condition])
            found = [run(".", ".", Request.of(cases=cases, seed=seed)) for seed in seeds]
        yield from judge(condition, found)


def judge(condition: str, outcomes: Sequence[Outcome]) -> Iterator[Row]:
    """Rows on some runs in which nothing had changed."""
    cases = [case for outcome in outcomes for case in outcome.cases]
    alarms = [case for case in cases if case.verdict.bad or case.verdict in CHANGED]
    runs = sum(any(case in alarms for case in outcome.cases) for outcome in outcomes)
    where = f"A/A, {condition}, threshold {THRESHOLD:.0%}"
    yield judged(
        f"{where}: cases with a false alarm",
        f"at most {FALSE_CASES:.0%}",
        share(len(alarms), len(cases)),
        len(alarms) <= FALSE_CASES * len(cases),
    )
    yield judged(
        f"{where}: runs with any false alarm",
        f"at most {FALSE_RUNS:.0%}",
        share(runs, len(outcomes)),
        runs <= FALSE_RUNS * len(outcomes),
    )
    ratios = [ratio for ratio in _ratios(cases) if ratio != 1]
    slower = sum(ratio > 1 for ratio in ratios)
    low, high = share_interval(slower, len(ratios))
    yield judged(
        f"{where}: ratios above 1 among all, no bias",
        "the interval holds 50 %",
        share(slower, len(ratios)),
        low <= 0.5 <= high,
    )
    undecided = sum(case.verdict is Verdict.INCONCLUSIVE for case in cases)
    yield noted(f"{where}: inconclusive", share(undecided, len(cases)))
    yield noted(f"{where}: smallest change that could be seen", _visible(cases))
    yield noted(f"{where}: time of a run of {len(cases) // len(outcomes)} cases", _times(outcomes))


def _ratios(cases: Sequence[CaseOutcome]) -> list[float]:
    found = (case.finding("latency") for case in cases)
    return [one.ratio.value for one in found if one and one.ratio]


def _visible(cases: Sequence[CaseOutcome]) -> str:
    found = (case.finding("latency") for case in cases)
    seen = sorted(one.visible for one in found if one and one.visible)
    if not seen:
        return "none"
    return f"median {seen[len(seen) // 2]:.1%}, largest {seen[-1]:.1%}"


def _times(outcomes: Sequence[Outcome]) -> str:
    seconds = sorted(outcome.seconds for outcome in outcomes)
    return f"{seconds[len(seconds) // 2]:.0f} s (at most {seconds[-1]:.0f} s)"
