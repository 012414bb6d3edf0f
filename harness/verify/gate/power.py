"""Power: head does known further work, from 0 to 20 %; how much of it does the gate find?"""

from __future__ import annotations

import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness import runner, stats, store
from harness.gate.outcome import CaseOutcome, Verdict
from harness.runner import Request
from harness.verify import bench
from harness.verify.gate.runs import CONDITIONS, THRESHOLD, run
from harness.verify.gate.same import FORWARD, TRAIN
from harness.verify.gate.slowed import PREFIX
from harness.verify.row import Row, judged, noted, share, skipped

RUNS = {"quiet": 7, "beside a hog on every core": 2}
EFFECTS = (0.0, 0.01, 0.02, 0.05, 0.10, 0.10, 0.10, 0.20, 0.20, 0.20)
"""One of them for each case and run, drawn; some more often, as more is expected of them."""
WANTED = {2 * THRESHOLD: 0.95, 0.20: 0.99}
LOOP_ROUNDS = 100_000

_SUITE = """from harness.verify.gate.slowed import layers

globals().update(layers({extra!r}))
"""


def rows() -> Iterator[Row]:
    if not bench.installed(["torch"]):
        yield skipped("power", "found", "torch is not installed")
        return
    keys = [*(f"{name}/forward" for name in FORWARD), *(f"{name}/train" for name in TRAIN)]
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        base = _side(Path(folder) / "base", dict.fromkeys(keys, 0))
        latencies = _latencies(base / "slowed_suite.py", keys)
        round_s = min(bench.alone(__name__, "loop_s"))
        for condition, context in CONDITIONS.items():
            found: dict[float, list[CaseOutcome]] = defaultdict(list)
            for index in range(RUNS[condition]):
                effects = {key: rng.choice(EFFECTS) for key in keys}
                extra = {key: round(effects[key] * latencies[key] / round_s) for key in keys}
                head = _side(Path(folder) / "head", extra)
                with context():
                    outcome = run(str(base), str(head), _request(base / "slowed_suite.py", index))
                for case in outcome.cases:
                    found[effects[_key(case.case)]].append(case)
            yield from judge(condition, found)


def judge(condition: str, found: Mapping[float, Sequence[CaseOutcome]]) -> Iterator[Row]:
    """A row an effect."""
    for effect, cases in sorted(found.items()):
        hits = sum(_verdict(case) is Verdict.REGRESSION for case in cases)
        ratios = [
            one.ratio.value for case in cases if (one := case.finding("latency")) and one.ratio
        ]
        mean = stats.geometric_mean(ratios) - 1
        text = f"{share(hits, len(cases))}; mean estimate {mean:+.1%}"
        check = f"{effect:.0%} slower, {condition}: found at a threshold of {THRESHOLD:.0%}"
        wanted = WANTED.get(effect)
        if effect == 0:
            yield judged(check, "at most 1 %", text, hits <= 0.01 * len(cases))
        elif wanted is None or condition != "quiet":
            yield noted(check, text)
        else:
            yield judged(check, f"at least {wanted:.0%}", text, hits >= wanted * len(cases))


def _verdict(case: CaseOutcome) -> Verdict:
    found = case.finding("latency")
    return found.verdict if found else case.verdict


def _key(case: str) -> str:
    layer, _, _, mode, *_ = case.split("/")
    return f"{layer.removeprefix(PREFIX)}/{mode}"


def _side(folder: Path, extra: Mapping[str, int]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "slowed_suite.py").write_text(_SUITE.format(extra=dict(extra)), encoding="utf-8")
    return folder


def _request(suite: Path, seed: int) -> Request:
    """Every layer forward, and some in training."""
    forward = [f"{PREFIX}{name}" for name in FORWARD]
    axes = {"framework": ["torch"], "execution": ["eager"], "batch": [32], "seq": [32]}
    plans = [
        runner.make_plan(
            Request.of(layers=names, suites=[str(suite)], axes={**axes, "mode": [mode]})
        )
        for mode, names in (("forward", forward), ("train", [f"{PREFIX}{n}" for n in TRAIN]))
    ]
    cases = [case.id for plan in plans for case in plan.cases]
    return Request.of(cases=cases, suites=[str(suite)], seed=seed)


def _latencies(suite: Path, keys: Sequence[str]) -> dict[str, float]:
    """Seconds a call of each on base, from one ordinary run."""
    request = _request(suite, 0)
    plan = runner.make_plan(Request.of(cases=request.cases, suites=request.suites, passes=2))
    with tempfile.TemporaryDirectory() as folder:
        record = runner.begin(plan, Path(folder), "make verify-gate")
        runner.execute(record, plan.layers, lambda event: None)
        frame = store.load(record.folder)
    found = {
        _key(str(case)): float(s)
        for case, s in zip(frame["case_id"], frame["latency_s"], strict=True)
    }
    return {key: found[key] for key in keys}


def loop_s() -> Iterator[float]:
    """Seconds of one round of the bare loop, in a process of its own; several readings."""
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(LOOP_ROUNDS):
            pass
        yield (time.perf_counter() - start) / LOOP_ROUNDS
