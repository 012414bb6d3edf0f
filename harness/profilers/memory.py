"""Which memory a call holds when it holds the most."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Literal

from harness.profilers import Parts


@dataclass(frozen=True)
class Event:
    """Something that happened to memory.

    Attributes:
        kind: a block was taken or given back; the block that begins at an address was kept for
            the backward pass; or the call began whose peak is asked for.
        address: of the block.
        size_bytes: of a block that was taken.
    """

    kind: Literal["taken", "freed", "saved", "call"]
    address: int = 0
    size_bytes: int = 0


@dataclass
class _Block:
    size_bytes: int
    begin: int
    end: float = math.inf
    use: str = "workspace"


def at_peak(events: Iterable[Event], outputs: Set[int]) -> Parts:
    """What is held at the highest moment of the call, by what it is for.

    Of moments that are equally high the last counts, at which more of the result is there.

    Blocks taken before the call and held through it count, as what the forward pass saved for a
    backward pass that is called alone. Blocks taken before the first event are unknown and do
    not. Each block counts once: as an output if it is one, else as saved, else as workspace.

    Args:
        events: in the order in which they happened, one of them the beginning of the call.
        outputs: addresses of what the call returned, which nobody has freed.
    """
    blocks: list[_Block] = []
    live: dict[int, _Block] = {}
    held = 0
    peak: int | None = None
    moment = -1
    for index, event in enumerate(events):
        block = live.get(event.address)
        if event.kind == "taken":
            live[event.address] = _Block(event.size_bytes, index)
            blocks.append(live[event.address])
            held += event.size_bytes
        elif event.kind == "freed" and block:
            block.end = index
            held -= live.pop(event.address).size_bytes
        elif event.kind == "saved" and block:
            block.use = "saved"
        if event.kind == "call" or (peak is not None and held >= peak):
            peak, moment = held, index
    for address in outputs & live.keys():
        live[address].use = "output"
    sizes = Counter[str]()
    for block in blocks:
        if block.begin <= moment < block.end:
            sizes[block.use] += block.size_bytes
    return Parts(sizes.total(), output_bytes=sizes["output"], saved_bytes=sizes["saved"])
