"""From options to what a runner is asked for."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from harness.cli.parser import AXIS_HELP, by_name
from harness.runner import Request


def request(options: Namespace, **more: Any) -> Request:
    """Of a command that has the axes of a case; `more` are further fields."""
    return Request.of(
        axes={axis: getattr(options, axis) for axis in AXIS_HELP if getattr(options, axis)},
        params=by_name(options.param),
        suites=options.suite,
        timeout_s=options.timeout,
        **more,
    )


def request_of_sweep(options: Namespace, **more: Any) -> Request:
    """Of a command that takes a sweep, and what is to be different from it."""
    return request(
        options,
        sweep=options.sweep,
        layers=options.layer or None,
        presets=options.presets,
        cases=options.case,
        seed=options.seed,
        **more,
    )
