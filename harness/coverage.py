"""What the installed frameworks export, held against the catalogue's ledger."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import catalogue, frameworks, ledger
from harness.ledger import Entry, State
from harness.types import UsageError

LIBRARIES = {"torch.nn": "torch", "keras.layers": "tensorflow", "keras.losses": "tensorflow"}
"""Modules with a ledger, and a framework of ours through which each is measured."""


@dataclass(frozen=True)
class Installed:
    """What a module of the installed version exports: classes and functions, full names."""

    library: str
    version: str
    names: frozenset[str]


def own() -> dict[str, Entry]:
    """Every name that the project's own catalogue accounts for."""
    folder = Path(str(importlib.import_module("suites").__file__)).parent
    text = (folder / "ledger.toml").read_text(encoding="utf-8")
    return ledger.entries(catalogue.load().values(), text)


def installed(library: str) -> Installed | None:
    """What is exported here; None if the framework is not installed.

    It is looked at in a process of its own, as frameworks do not share one.

    Raises:
        UsageError: the framework cannot be imported.
    """
    framework = frameworks.get(LIBRARIES[library])
    if not frameworks.installed(framework.name):
        return None
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, library],
        env={**os.environ, **framework.environment(1, "latency")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UsageError(f"{library} cannot be imported: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Installed(library, found["version"], frozenset(found["names"]))


_LOOK = """
import importlib, inspect, json, sys
library = sys.argv[1]
module = importlib.import_module(library)
names = [name for name in dir(module) if not name.startswith("_")]
names = [name for name in names if not inspect.ismodule(getattr(module, name))]
version = importlib.import_module(library.partition(".")[0]).__version__
print(json.dumps({"version": version, "names": [f"{library}.{name}" for name in names]}))
"""


def accounts(known: Mapping[str, Entry], here: Installed) -> list[Entry]:
    """Of each name that is exported here; what no entry tells of is missing."""
    return [
        known.get(name, Entry(name, "", State.MISSING, detail="no layer, and not in the ledger"))
        for name in sorted(here.names)
    ]


def gone(known: Mapping[str, Entry], here: Installed) -> list[str]:
    """Names that are accounted for, and that this version does not have."""
    of_it = (name for name, entry in known.items() if entry.library == here.library)
    return sorted(name for name in of_it if name not in here.names)
