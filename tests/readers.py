"""What other programs accept, as they say it themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fastjsonschema

CUSTOM_SMALLER_IS_BETTER = fastjsonschema.compile({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "value": {"type": "number"},
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
    },
})  # fmt: skip
"""From the README ("Custom benchmark") and ``BenchmarkResult`` in ``src/extract.ts`` of
https://github.com/benchmark-action/github-action-benchmark."""

BENCHER = fastjsonschema.compile({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z0-9-]{1,64}$"},
        "additionalProperties": {
            "type": "object",
            "properties": {
                "value": {"type": "number"},
                "lower_value": {"type": "number"},
                "upper_value": {"type": "number"},
            },
            "required": ["value"],
            "additionalProperties": False,
        },
    },
})  # fmt: skip
"""From https://bencher.dev/docs/reference/bencher-metric-format, where a measure's slug has no more
than 64 characters."""


def compared(path: Path, *options: str) -> str:
    """What pytest-benchmark's own command line makes of a file."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", str(path), *options],
        capture_output=True,
        text=True,
        cwd=path.parent,
        check=True,
        timeout=60,
    )
    assert "Failed to load" not in done.stdout + done.stderr
    return done.stdout
