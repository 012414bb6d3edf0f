"""The runner: the only place that starts workers, and the only place that decides."""

from harness.runner.execute import Event, execute, ruled_out
from harness.runner.process import WorkerFailedError
from harness.runner.request import Plan, Request, begin, continued, make_plan
from harness.runner.workers import Workers

__all__ = [
    "Event",
    "Plan",
    "Request",
    "WorkerFailedError",
    "Workers",
    "begin",
    "continued",
    "execute",
    "make_plan",
    "ruled_out",
]
