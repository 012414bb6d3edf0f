"""Outcomes of a gate made by hand."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from frames import machine

from harness.gate.outcome import CaseOutcome, Finding, Outcome, Side, Verdict
from harness.stats import Interval

HOSTILE = [
    "`$(rm -rf ~)`",
    "</details><script>alert(1)</script>",
    "| a | b |",
    "\\| a \\| b \\",
    "@everyone see #123, GH-12, owner/repo#4 and https://evil.example www.evil.example",
    "]]> & <![CDATA[ &lt;",
    "\x1b[31mred\x1b[0m\x07\x00",
    "a\u202egnp.exe\u2066\u200b",
    "🔥 naïve 𝒳 \ud800",
    "line one\n\n# heading\r\n```\n</details>\n- list\n<!-- layerbench-regress -->",
    "1. first\t**bold** _it_ [link](https://evil.example) ![image](x) $x^2$ ~~no~~",
    '\'; echo "pwned" #',
    "```",
]
"""What a name, a reason or a machine may hold when it comes from a stranger."""


def latency(
    ratio: float = 1.0, verdict: Verdict = Verdict.SAME, base: float = 1.2e-3, **changes: Any
) -> Finding:
    """A latency with an interval of ±3 %."""
    interval = Interval(ratio, ratio * 0.97, ratio * 1.03)
    values: dict[str, Any] = {"visible": 0.042, "pairs": 5, **changes}
    return Finding("latency", base, base * ratio, interval, verdict=verdict, **values)


def exact(metric: str, base: float, head: float, verdict: Verdict = Verdict.SAME) -> Finding:
    """A figure that is the same each time."""
    ratio = head / base
    return Finding(metric, base, head, Interval(ratio, ratio, ratio), 0.0, 0, verdict)


def case(name: str, *findings: Finding, **changes: Any) -> CaseOutcome:
    """A case that ran on both sides; its verdict is its first figure's."""
    verdict = findings[0].verdict if findings else Verdict.NOT_COMPARED
    values: dict[str, Any] = {"base_status": "ok", "head_status": "ok", "verdict": verdict}
    return CaseOutcome(name, findings=findings, **{**values, **changes})


def outcome(*cases: CaseOutcome, **changes: Any) -> Outcome:
    """Main against a branch on the machine of `frames`, with these cases."""
    values: dict[str, Any] = {
        "base": Side("main", "a" * 40, False, "3.11.9", {"torch": "2.13.0+cpu"}),
        "head": Side("faster-attention", "b" * 40, True, "3.11.9", {"torch": "2.13.0+cpu"}),
        "threshold": 0.05,
        "error_rate": 0.01,
        "started_at": "2026-11-20T10:00:00+00:00",
        "seconds": 83.4,
        "budget_s": 600.0,
        "machine": machine(),
        "command": "layerbench regress --base main --head faster-attention",
        "cases": cases,
    }
    return Outcome(**{**values, **changes})


def full() -> Outcome:
    """An outcome with every verdict there is."""
    slower = case(
        "lstm/torch/cpu/train/eager/float32/b32-s128",
        latency(1.234, Verdict.REGRESSION),
        exact("operators", 1000, 1001, Verdict.REGRESSION),
        exact("parameters", 2**20, 2**20),
        Finding("first_call", 0.31, 0.33, Interval(1.06, 0.8, 1.4), 0.4, 5, Verdict.INCONCLUSIVE),
        Finding("peak_memory", None, None, None, None, 0, Verdict.NOT_COMPARED),
    )
    return outcome(
        case("dense/torch/cpu/forward/eager/float32/b32", latency(1.01)),
        slower,
        case("conv2d/torch/cpu/forward/eager/float32/b8", latency(0.8, Verdict.IMPROVEMENT)),
        case("gru/torch/cpu/train/eager/float32/b32-s128",
             latency(1.04, Verdict.INCONCLUSIVE, visible=0.13)),
        case("multi_head_attention/torch/cpu/train/eager/float32/b4-s512",
             head_status="mismatch", verdict=Verdict.FAILED,
             reason="the output differs from the reference by 3.2e-2, more than 1e-4"),
        case("dropout/torch/cpu/train/eager/float32/b32",
             head_status="", verdict=Verdict.VANISHED),
        case("rms_norm/torch/cpu/forward/eager/float32/b32-s128",
             latency(1.0, Verdict.NEW, base=1e-3, visible=None), base_status="",
             verdict=Verdict.NEW),
        case("bilinear/torch/cpu/forward/eager/float32/b32",
             base_status="crashed", verdict=Verdict.FIXED),
        case("rnn/torch/cpu/forward/compiled/float32/b32-s128",
             base_status="unsupported", head_status="unsupported",
             reason="a compiled loop takes too long"),
        notes=("The budget ended before every case was decided.",),
    )  # fmt: skip


def hostile(text: str) -> Outcome:
    """An outcome that says this wherever it can say something."""
    side = Side(text, text, True, text, {text: text})
    cases = tuple(
        replace(case, case=text, reason=text, base_status=text, head_status=text)
        for case in full().cases
    )
    ran = replace(full().cases[1], case=text)
    return outcome(
        *cases,
        ran,
        base=side,
        head=side,
        started_at=text,
        machine={"cpu": {"model": text}, "gpus": [{"name": text}], "os": text, "machine_id": text},
        command=shlex.join(["layerbench", "regress", "--base", text]),
        notes=(text,) * 3,
    )
