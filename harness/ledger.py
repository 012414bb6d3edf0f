"""The ledger: what the catalogue does with each public name of the frameworks it measures.

A name is timed by the builders that say so (`harness.layer.Builder.covers`). Those that no builder
times stand in a file, as the alias of a name that is timed or as not applicable, with the reason.
What an installed version has beyond that is missing; `harness.coverage` looks.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.layer import Layer
from harness.types import UsageError

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
        layers: those that time it, or the name it is an alias of.
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


def entries(layers: Iterable[Layer], text: str) -> dict[str, Entry]:
    """Every name that is accounted for.

    Args:
        layers: of the catalogue.
        text: TOML, with a table of ``aliases`` and one of ``not_applicable`` for each family.

    Raises:
        UsageError: a name is accounted for twice, or is the alias of one that is not timed.
    """
    covering: dict[str, list[Layer]] = defaultdict(list)
    for layer in layers:
        for builder in layer.builders.values():
            for name in builder.covers:
                covering[name].append(layer)
    known = {
        name: Entry(name, found[0].family, State.TIMED, tuple(layer.name for layer in found))
        for name, found in covering.items()
    }
    for entry in _written(text):
        if entry.name in known:
            raise UsageError(f"ledger.toml: {entry.name} is accounted for already; leave it out")
        known[entry.name] = entry
    return {name: _with_layers(entry, known) for name, entry in sorted(known.items())}


def _written(text: str) -> Iterator[Entry]:
    for family, tables in tomllib.loads(text).items():
        if unknown := sorted(tables.keys() - _TABLES):
            raise UsageError(f"ledger.toml: [{family}.{unknown[0]}] is none of {sorted(_TABLES)}")
        for name, target in tables.get("aliases", {}).items():
            yield Entry(name, family, State.ALIAS, detail=target)
        for name, reason in tables.get("not_applicable", {}).items():
            yield Entry(name, family, State.NOT_APPLICABLE, detail=reason)


def _with_layers(entry: Entry, known: Mapping[str, Entry]) -> Entry:
    if entry.state is not State.ALIAS:
        return entry
    timed = known.get(entry.detail)
    if timed is None or timed.state is not State.TIMED:
        raise UsageError(
            f"ledger.toml: {entry.name} is said to be {entry.detail}, which no layer times"
        )
    return replace(entry, layers=timed.layers)
