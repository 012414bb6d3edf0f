"""Workers whose figures are known, for the proofs to judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.types import Case

PREPARED = {"first_call_s": 1.0, "flops": 1, "bytes": 1, "parameter_bytes": 1, "warnings": []}


@dataclass
class Scripted:
    """Answers as a worker would: a call takes ``call_s(case)``, a block ``block_s`` on top."""

    call_s: Callable[[Case], float] = lambda case: 1e-3
    block_s: float = 0.0
    peak_bytes: Callable[[Case], int] = lambda case: 0
    resolution_bytes: int = 2**18
    case: Case | None = None

    def ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        match request["do"]:
            case "prepare":
                self.case = Case.from_json(request["case"])
                return dict(PREPARED)
            case "check_smaller":
                return {}
            case "check":
                return {"parity_error": 0.0}
            case "execution" | "parts":
                return {}
            case "memory":
                assert self.case is not None
                peak = self.peak_bytes(self.case)
                return {
                    "peak_bytes": peak,
                    "method": "VmHWM",
                    "resolution_bytes": self.resolution_bytes,
                }
        assert self.case is not None
        wall = self.call_s(self.case) + self.block_s / request["calls"]
        if request["do"] == "pairs":
            doubled = self.call_s(self.case) + self.block_s / (2 * request["calls"])
            pairs = request["pairs"]
            return {"wall_s": [wall] * pairs, "doubled_s": [doubled] * pairs}
        return {"wall_s": [wall] * request["blocks"], "device_s": []}
