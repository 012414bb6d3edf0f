"""The ledger: what the catalogue does with each public name of the frameworks it measures.

A name is timed by the builders that say so (`harness.layer.Builder.covers`). Those that no builder
times stand in ``suites/ledger.toml``, as the alias of a name that is timed or as not applicable,
with the reason. What the installed version has beyond that is missing.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness import frameworks
from harness.layer import Layer
from harness.types import UsageError

LIBRARIES = {"torch.nn": "torch", "keras.layers": "tensorflow", "keras.losses": "tensorflow"}
"""Modules with a ledger, and a framework of ours through which each is measured."""
_TABLES = {"aliases", "not_applicable"}


class State(StrEnum):
    """What has become of a name."""

    TIMED = "timed"
    ALIAS = "alias"
    NOT_APPLICABLE = "not applicable"
    MISSING = "missing"


@dataclass(frozen=True)
class Entry:
    """One public name.

    Attributes:
        name: with its module, such as ``torch.nn.Conv2d``.
        family: of the layers that it belongs to; empty if it is missing.
        state: what has become of it.
        layers: those that time it, or the name that it is an alias of.
        detail: the name that it is an alias of, or why it is not applicable.
    """

    name: str
    family: str
    state: State
    layers: tuple[str, ...] = ()
    detail: str = ""

    @property
    def library(self) -> str:
        """The module that exports it."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Installed:
    """What a module of the installed version exports: classes and functions, full names."""

    library: str
    version: str
    names: frozenset[str]


def ledger(layers: Iterable[Layer], text: str | None = None) -> dict[str, Entry]:
    """Every name that is accounted for.

    Args:
        layers: of the catalogue.
        text: of the ledger's file; the catalogue's own if not said.

    Raises:
        UsageError: a name is accounted for twice, or is the alias of one that is not timed.
    """
    covering: dict[str, list[Layer]] = defaultdict(list)
    for layer in layers:
        for builder in layer.builders.values():
            for name in builder.covers:
                covering[name].append(layer)
    entries = {
        name: Entry(name, found[0].family, State.TIMED, tuple(layer.name for layer in found))
        for name, found in covering.items()
    }
    for entry in _written(_own_file() if text is None else text):
        if entry.name in entries:
            raise UsageError(f"ledger.toml: {entry.name} is accounted for already; leave it out")
        entries[entry.name] = entry
    return {name: _with_layers(entry, entries) for name, entry in sorted(entries.items())}


def _own_file() -> str:
    catalogue = Path(str(importlib.import_module("suites").__file__)).parent
    return (catalogue / "ledger.toml").read_text(encoding="utf-8")


def _written(text: str) -> Iterator[Entry]:
    for family, tables in tomllib.loads(text).items():
        if unknown := sorted(tables.keys() - _TABLES):
            raise UsageError(f"ledger.toml: [{family}.{unknown[0]}] is none of {sorted(_TABLES)}")
        for name, target in tables.get("aliases", {}).items():
            yield Entry(name, family, State.ALIAS, detail=target)
        for name, reason in tables.get("not_applicable", {}).items():
            yield Entry(name, family, State.NOT_APPLICABLE, detail=reason)


def _with_layers(entry: Entry, entries: Mapping[str, Entry]) -> Entry:
    if entry.state is not State.ALIAS:
        return entry
    timed = entries.get(entry.detail)
    if timed is None or timed.state is not State.TIMED:
        raise UsageError(
            f"ledger.toml: {entry.name} is said to be {entry.detail}, which no layer times"
        )
    return Entry(entry.name, entry.family, entry.state, timed.layers, entry.detail)


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


def accounts(entries: Mapping[str, Entry], here: Installed) -> list[Entry]:
    """Of each name that is exported here; what no entry tells of is missing."""
    return [
        entries.get(name, Entry(name, "", State.MISSING, detail="no layer, and not in the ledger"))
        for name in sorted(here.names)
    ]


def gone(entries: Mapping[str, Entry], here: Installed) -> list[str]:
    """Names that are accounted for, and that this version does not have."""
    known = (name for name, entry in entries.items() if entry.library == here.library)
    return sorted(name for name in known if name not in here.names)
