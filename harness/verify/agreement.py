"""Is a median of ours the one that an independent timer reads?

Our blocks and the other timer's alternate on the same prepared call in the same process, so that
what disturbs one disturbs the other and only the method differs.

* torch: `torch.utils.benchmark.Timer.timeit`.
* TensorFlow, which has no timer of its own: a loop written by hand, that waits for the last result.
* `triton.testing.do_bench` on CUDA, against the time by device events. It writes over the L2 cache
  before each call and we do not, so its cases are bound by arithmetic.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness import devices, frameworks, stats, units
from harness.probes import latency
from harness.types import Case
from harness.verify import bench
from harness.verify.row import Row, Verdict, judged, skipped

BLOCK_S = 0.005
CASE_S = 1.5
"""For the pairs of a case."""
PAIRS = 10
"""At least, however long they take."""
SHORTEST_S = 100e-6
"""Below it, the cost of the loop itself is a share that timers rightly differ by."""
LOW, HIGH = 0.98, 1.02
_RECURRENT = "b8-s32-input_size=32-hidden_size=64"
_PLAIN = "stride=1-groups=1-dilation=1-padding=same-layout=native"
_SHAPES = {
    "dense": ("b8-in_features=768-out_features=3072-activation=gelu", "eager"),
    "conv2d": (f"b4-in_channels=3-out_channels=32-kernel=3-size=32-{_PLAIN}", "eager"),
    "simple_rnn": (_RECURRENT, "compiled"),
    "lstm": (_RECURRENT, "compiled"),
    "gru": (_RECURRENT, "compiled"),
    "attention": ("b4-s64-heads=4-head_dim=64", "eager"),
    "attention_projected": ("b4-s32-heads=4-head_dim=64", "compiled"),
    "multi_head_attention": ("b4-s32-heads=4-head_dim=64", "compiled"),
    "batch_norm": ("b8-features=64-size=28-layout=native", "eager"),
    "dropout": ("b64-features=4096-p=0.5", "eager"),
}
"""By layer: a shape that takes at least 100 µs on one core, and the execution in TensorFlow."""
_MORE_SHAPES = (
    ("dense", "b8-in_features=2048-out_features=1000-activation=linear"),
    ("conv2d", f"b1-in_channels=256-out_channels=64-kernel=1-size=56-{_PLAIN}"),
)
_ON_CUDA = (
    "dense/torch/cuda/forward/eager/float32/b8192-in_features=4096-out_features=4096-activation=linear",
    "conv2d/torch/cuda/forward/eager/float32/"
    f"b64-in_channels=64-out_channels=64-kernel=3-size=56-{_PLAIN}",
)


def cases(framework: str) -> list[Case]:
    """Every layer forward and in training, and a few further shapes."""
    ids = []
    for layer, (shape, execution) in _SHAPES.items():
        chosen = execution if framework == "tensorflow" else "eager"
        modes = ("train",) if layer == "dropout" else ("forward", "train")
        ids += [f"{layer}/{framework}/cpu/{mode}/{chosen}/float32/{shape}" for mode in modes]
    ids += [f"{layer}/{framework}/cpu/forward/eager/float32/{s}" for layer, s in _MORE_SHAPES]
    return [Case.parse(text) for text in ids]


def rows() -> Iterator[Row]:
    """A row a case, for every framework that is installed."""
    for framework in bench.installed():
        yield from _of(framework, cases(framework))
    reason = _without_triton()
    if reason:
        yield skipped("triton.testing.do_bench", f"{LOW} to {HIGH}", reason)
    else:
        yield from _of("torch", [Case.parse(text) for text in _ON_CUDA])


def _without_triton() -> str:
    if "cuda" not in devices.available():
        return "there is no NVIDIA GPU here"
    return "" if importlib.util.find_spec("triton") else "triton is not installed"


def _of(framework: str, chosen: Sequence[Case]) -> Iterator[Row]:
    environment = frameworks.get(framework).environment(1, "latency")
    ids = [case.id for case in chosen]
    for found in bench.alone(__name__, "compare", framework, ids, environment=environment):
        yield judge(*found)


def judge(case: str, timer: str, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """The paired ratios' median has to be near 1; their interval says how sure that is.

    Args:
        case: its id.
        timer: whose samples `theirs` are.
        ours: seconds a call, a sample a block.
        theirs: likewise, each taken beside that of `ours` at the same place.
    """
    ratio = stats.median_interval([a / b for a, b in zip(ours, theirs, strict=True)])
    median_s = statistics.median(ours)
    expected = f"{LOW} to {HIGH} of {timer}"
    found = f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f}) at {units.seconds(median_s)}"
    if median_s < SHORTEST_S:
        return skipped(case, expected, f"{found}: too short here")
    good = LOW <= ratio.value <= HIGH
    if not good and not ratio.excludes(1.0):
        return Row(case, expected, f"{found}: too disturbed to tell", Verdict.UNCLEAR)
    return judged(case, expected, found, good)


def compare(framework_name: str, ids: Sequence[str]) -> Iterator[tuple[str, str, Any, Any]]:
    """(case, timer, our samples, theirs), in a process of its own; see `bench.alone`."""
    framework = frameworks.get(framework_name)
    parsed = [Case.parse(text) for text in ids]
    framework.start(parsed[0].device, 1)
    for case in parsed:
        timer, theirs = _OTHERS[case.framework, case.device]
        yield case.id, timer, *_alternate(framework, bench.opened(framework, case.id), theirs)


_Timer = Callable[[Callable[[], Any], int], float]
"""(call, how many) -> seconds a call."""


def _torch_timer(call: Callable[[], Any], calls: int) -> float:
    from torch.utils.benchmark import Timer

    return float(Timer("call()", globals={"call": call}, num_threads=1).timeit(calls).median)


def _by_hand(call: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter_ns()
    for _ in range(calls - 1):
        call()
    output, _gradients = call()
    memoryview(output)  # waits for the value, and copies nothing
    return (time.perf_counter_ns() - start) / 1e9 / calls


def _do_bench(call: Callable[[], Any], calls: int) -> float:
    from triton.testing import do_bench

    return float(do_bench(call, warmup=5, rep=1e3 * BLOCK_S, return_mode="median")) / 1e3


_OTHERS: dict[tuple[str, str], tuple[str, _Timer]] = {
    ("torch", "cpu"): ("torch.utils.benchmark", _torch_timer),
    ("tensorflow", "cpu"): ("a loop by hand", _by_hand),
    ("torch", "cuda"): ("triton's do_bench", _do_bench),
}


def _alternate(
    framework: frameworks.Framework, call: Callable[[], Any], timer: _Timer
) -> tuple[list[float], list[float]]:
    """(our samples, theirs), in seconds a call; in turn, and each first as often as the other."""
    once = min(latency.block(call, 1, framework).wall_s for _ in range(5))
    calls = max(1, round(BLOCK_S / once))

    def ours() -> float:
        block = latency.block(call, calls, framework)
        return block.wall_s if block.device_s is None else block.device_s

    readers = (ours, lambda: timer(call, calls))
    taken: tuple[list[float], list[float]] = ([], [])
    end = time.monotonic() + CASE_S
    while len(taken[0]) < PAIRS or time.monotonic() < end:
        for which in (0, 1) if len(taken[0]) % 2 else (1, 0):
            taken[which].append(readers[which]())
    return taken
