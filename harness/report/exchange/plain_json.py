"""Every row and column as JSON, with what is known of the runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from harness import compare
from harness.report.exchange.results import Results
from harness.types import SCHEMA_VERSION


def render(results: Results) -> str:
    """An object with ``schema``, ``runs`` and ``cases``; what is missing is null."""
    data = {
        "schema": SCHEMA_VERSION,
        "runs": results.runs(),
        "cases": compare.records(results.frame),
    }
    return json.dumps(_plain(data), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: it knows no NaN, and nothing of pandas."""
    import pandas as pd

    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
