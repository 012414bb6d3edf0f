"""The runner: the only place that starts workers, and the only place that decides."""

from harness.runner.execute import Event, execute, ruled_out
from harness.runner.measure import make_ready
from harness.runner.process import CaseFailedError, WorkerFailedError
from harness.runner.profile import Profile, profile
from harness.runner.request import Plan, Request, begin, continued, make_plan
from harness.runner.sampling import Effort
from harness.runner.workers import Workers

__all__ = [
    "CaseFailedError",
    "Effort",
    "Event",
    "Plan",
    "Profile",
    "Request",
    "WorkerFailedError",
    "Workers",
    "begin",
    "continued",
    "execute",
    "make_plan",
    "make_ready",
    "profile",
    "ruled_out",
]
