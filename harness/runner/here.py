"""What can be measured on this machine, with what is installed on it."""

from __future__ import annotations

from collections.abc import Iterable

from harness import devices, frameworks
from harness.checks import check_known
from harness.types import UsageError

DEVICES = ("cpu", "cuda")
"""Those that can be asked for, wherever it is."""


def is_for_tests(framework: str) -> bool:
    """Whether it is one that is found by its own name only."""
    try:
        return frameworks.get(framework).for_tests
    except UsageError:
        return False


def check_frameworks(names: Iterable[str]) -> None:
    """Refuses a framework that is unknown or not installed.

    Raises:
        UsageError: one is; the message says how to mend that.
    """
    known = frameworks.names()
    for name in names:
        if not is_for_tests(name):
            check_known("framework", [name], known)
        if not frameworks.installed(name):
            others = ", ".join(filter(frameworks.installed, known))
            raise UsageError(
                f"framework {name} is not installed; `pip install 'layerbench[{name}]'`, "
                f"or measure with: {others or 'none is installed'}"
            )


def check_devices(names: Iterable[str]) -> None:
    """Refuses a device that is unknown or not on this machine.

    Raises:
        UsageError: one is.
    """
    there = devices.available()
    for name in names:
        check_known("device", [name], DEVICES)
        if name not in there:
            raise UsageError(f"device {name} is not on this machine; there is: {', '.join(there)}")
