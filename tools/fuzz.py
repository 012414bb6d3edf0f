"""Fuzzes what reads files for as long as one likes: `python -m tools.fuzz --minutes 10`.

The same targets as the short fuzz of the tests (tests/fuzzed.py), with other inputs each time. Ends
with 1 if one of them broke its property, and prints the input as an example for the tests.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import secrets
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

ROOT = Path(__file__).resolve().parents[1]
ROUND = 50
"""Inputs between two looks at the clock; each round draws from a seed of its own."""


@dataclass
class Tally:
    """What came of one target.

    Attributes:
        inputs: how many were tried.
        slowest_s: seconds that one of them took at most.
        failures: by where they were raised, with the input.
    """

    inputs: int = 0
    slowest_s: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def fuzz(target: Any, until: float) -> Tally:
    """Tries inputs until that time by `time.monotonic`."""
    tally = Tally()

    def tried(drawn: Any) -> None:
        begun = time.monotonic()
        try:
            target.holds(drawn)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} at {place.filename}:{place.lineno}"
            told = "".join(traceback.format_exception(error))
            tally.failures.setdefault(key, f"{drawn!r}\n{told}")
        tally.inputs += 1
        tally.slowest_s = max(tally.slowest_s, time.monotonic() - begun)

    while time.monotonic() < until:
        one_round = settings(
            max_examples=ROUND,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )(given(target.inputs)(tried))
        seed(secrets.randbits(64))(one_round)()
    return tally


def main() -> int:
    """Divides the time between the targets and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", default="", help="targets whose name begins so")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    targets = importlib.import_module("fuzzed").targets()
    chosen = [target for target in targets if target.name.startswith(options.only)]
    failed = False
    for target in chosen:
        begun = time.monotonic()
        tally = fuzz(target, begun + options.minutes * 60 / len(chosen))
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{target.name}: {tally.inputs} inputs in {time.monotonic() - begun:.0f} s, the "
            f"slowest {tally.slowest_s:.1f} s, {len(tally.failures)} distinct failures; "
            f"peak memory so far {peak_mib:.0f} MiB",
            flush=True,
        )
        for place, told in tally.failures.items():
            failed = True
            print(f"--- {place}\n{told}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
