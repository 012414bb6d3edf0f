"""The ledger: each public name is timed, an alias, or not applicable, and only one of these."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_suite import SCALE

from harness import ledger
from harness.coverage import Installed, accounts, gone
from harness.layer import Layer
from harness.ledger import State
from harness.types import UsageError

FAKE = SCALE.builders["fake"]
ONE = replace(SCALE, name="one", builders={"fake": replace(FAKE, covers=("lib.One", "lib.Both"))})
TWO = replace(SCALE, name="two", builders={"fake": replace(FAKE, covers=("lib.Both",))})
WRITTEN = """
[fake.aliases]
"lib.LazyOne" = "lib.One"
[fake.not_applicable]
"lib.Base" = "a base class"
"""


def test_a_name_is_timed_by_every_layer_whose_builder_covers_it() -> None:
    known = ledger.entries([ONE, TWO], "")
    assert {name: entry.layers for name, entry in known.items()} == {
        "lib.Both": ("one", "two"),
        "lib.One": ("one",),
    }
    assert {entry.state for entry in known.values()} == {State.TIMED}
    assert {entry.family for entry in known.values()} == {SCALE.family}


def test_an_alias_is_timed_by_the_layers_of_its_name() -> None:
    alias = ledger.entries([ONE], WRITTEN)["lib.LazyOne"]
    assert (alias.state, alias.layers, alias.detail) == (State.ALIAS, ("one",), "lib.One")


def test_a_name_without_work_says_why() -> None:
    base = ledger.entries([ONE], WRITTEN)["lib.Base"]
    assert (base.state, base.layers, base.detail) == (State.NOT_APPLICABLE, (), "a base class")


@pytest.mark.parametrize(
    ("layers", "text", "said"),
    [
        ([ONE], '[fake.not_applicable]\n"lib.One" = "why"', "lib.One is accounted for already"),
        ([TWO], WRITTEN, "lib.LazyOne is said to be lib.One, which no layer times"),
        ([ONE], '[fake.timed]\n"lib.X" = "y"', "[fake.timed] is none of"),
    ],
)
def test_a_ledger_that_cannot_be_says_where(layers: list[Layer], text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        ledger.entries(layers, text)
    assert said in str(error.value)


def test_a_name_that_is_installed_and_that_no_entry_tells_of_is_missing() -> None:
    here = Installed("lib", "2.0", frozenset({"lib.One", "lib.New"}))
    known = ledger.entries([ONE], WRITTEN)
    states = {entry.name: entry.state for entry in accounts(known, here)}
    assert states == {"lib.One": State.TIMED, "lib.New": State.MISSING}
    assert gone(known, here) == ["lib.Base", "lib.Both", "lib.LazyOne"]
