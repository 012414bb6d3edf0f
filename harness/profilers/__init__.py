"""What one call did, as the framework's own profiler saw it; never in a process that is timed.

Each framework turns its profiler's events into a `Trace`. What is asked of a trace, such as the
path that a call took, is arithmetic on it and knows no framework's profiler.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """An operator or kernel that ran.

    Attributes:
        name: such as ``aten::addmm`` or ``MatMul``.
        lane: the thread or stream; operations of a lane follow or contain each other.
        start_s: from the beginning of the trace.
        end_s: likewise.
        node: its place in a graph, where it has one.
        is_kernel: it ran on a GPU.
    """

    name: str
    lane: int
    start_s: float
    end_s: float
    node: str = ""
    is_kernel: bool = False


@dataclass(frozen=True)
class Allocation:
    """Memory that was taken, or given back: then its size is negative."""

    lane: int
    at_s: float
    size_bytes: int


@dataclass(frozen=True)
class Trace:
    """One call: what ran, and what was allocated on the device that is measured, in time order."""

    operations: tuple[Operation, ...]
    allocations: tuple[Allocation, ...] = ()


@dataclass(frozen=True)
class Execution:
    """Which way a call went. The names are those of a `harness.types.Measurement`.

    Attributes:
        execution_path: the implementations that did the work, such as ``oneDNN rnn (brgemm)``.
        operators: that the framework ran, those that others called included.
        kernels: on the GPU; None on the CPU.
        conversions: of dtype, as operators of their own; None where a compiler hides them.
    """

    execution_path: str
    operators: int
    kernels: int | None
    conversions: int | None


@dataclass(frozen=True)
class Parts:
    """What a call holds at its peak beyond weights and inputs, in bytes; None: cannot be told.

    Attributes:
        held_bytes: all of it.
        output_bytes: of the output and the gradients, as far as they are there by then.
        saved_bytes: activations kept for the backward pass that are not outputs too.
    """

    held_bytes: int | None
    output_bytes: int | None
    saved_bytes: int | None

    @property
    def workspace_bytes(self) -> int | None:
        """The rest: temporaries."""
        if self.held_bytes is None or self.output_bytes is None or self.saved_bytes is None:
            return None
        return self.held_bytes - self.output_bytes - self.saved_bytes


def joined(phrases: list[str], otherwise: str) -> str:
    """An execution path from what it consists of, each once, in order of appearance."""
    return ", ".join(dict.fromkeys(phrases)) or otherwise
