"""What of a frame is attention at several lengths, and what of it can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from harness.compare import configuration_order
from harness.report.rows import NOT_MEASURED, Row, machine_suffix, mode_order
from harness.types import DTYPES

FAMILIES = ("attention", "sparse_attention", "linear_attention")
PLAIN = "attention_plain"
FUSED = ("sdpa_flash", "sdpa_efficient", "sdpa_cudnn")
_DENSE = (PLAIN, *FUSED, "sdpa_math")
_SHARED = ("grouped_query_attention", "multi_query_attention")
"""Of the family attention: those that take part. Others do other work, such as a projection."""

ByLength: TypeAlias = Mapping[int, Row]


class Kind(StrEnum):
    """What a variant is to dense attention, in the order in which kinds are told."""

    FUSED = "dense, fused"
    PLAIN = "dense, scores written out"
    DENSE = "dense, other"
    SPARSE = "sparse, exact under its mask"
    APPROXIMATE = "approximates dense"
    OTHER = "a formula of its own"


DENSE_KINDS = (Kind.FUSED, Kind.PLAIN, Kind.DENSE)


@dataclass(frozen=True)
class Setting:
    """What all variants of a study share.

    Attributes:
        machine: what names it after the framework; empty if there is one only.
        shape: heads and their size, and which keys all variants leave out.
        batch: batch size, or tokens, whichever stays the same over the lengths.
    """

    machine: str
    framework: str
    device: str
    dtype: str
    threads: int
    shape: str
    batch: str

    @property
    def title(self) -> str:
        where = f"{self.framework} on {self.device}{self.machine}"
        return f"{where}, {self.dtype}, {self.shape}, {self.batch}"


@dataclass(frozen=True)
class Variant:
    """One way to attend.

    Attributes:
        name: of the layer, with what tells it from others of its name.
        rows: by length, rising; those that were tried.
    """

    name: str
    kind: Kind
    rows: ByLength

    @property
    def label(self) -> str:
        """The name as short as it can be told."""
        return self.name.replace("_attention", "", 1)

    @property
    def densities(self) -> Mapping[int, float]:
        """By length, the share of full attention's scores that count, where it is known."""
        return {n: row.density for n, row in self.rows.items() if row.density is not None}

    @property
    def complete_at(self) -> tuple[int, ...]:
        """Lengths at which a sparse variant's mask leaves nothing out that dense attention has."""
        if self.kind is not Kind.SPARSE:
            return ()
        found = self.densities.items()
        return tuple(n for n, share in found if share >= _ROUNDED * _dense_share(self.rows[n], n))


_ROUNDED = 1 - 1e-9


def _dense_share(row: Row, length: int) -> float:
    """Of seq² scores, those of dense attention that is causal if the row is."""
    return (length + 1) / (2 * length) if row.parameters.get("causal") else 1.0


@dataclass(frozen=True)
class Study:
    """All variants of one setting and mode.

    Attributes:
        lengths: all that were tried, rising.
        variants: by kind, then by name.
    """

    setting: Setting
    mode: str
    lengths: tuple[int, ...]
    variants: tuple[Variant, ...]

    @property
    def plain(self) -> ByLength:
        """Dense attention with its scores written out; empty if it was not tried."""
        return next((v.rows for v in self.variants if v.kind is Kind.PLAIN), {})

    @property
    def fused(self) -> ByLength:
        """At each length the fastest fused dense kernel, or one that failed if all did."""
        fused = [variant.rows for variant in self.variants if variant.kind is Kind.FUSED]
        found = {n: [rows[n] for rows in fused if n in rows] for n in self.lengths}
        return {n: min(rows, key=_seconds) for n, rows in found.items() if rows}

    @property
    def base(self) -> ByLength:
        """What others are held against where there is one: fused dense attention, else plain."""
        return self.fused or self.plain

    @property
    def base_name(self) -> str:
        return named(self.base)


def named(rows: ByLength) -> str:
    """``sdpa_flash``, or ``the fastest of sdpa_flash, sdpa_cudnn``."""
    names = list(dict.fromkeys(row.layer for row in rows.values()))
    return names[0] if len(names) == 1 else f"the fastest of {', '.join(names)}"


def _seconds(row: Row) -> float:
    return row.latency.value if row.latency else float("inf")


def takes_part(row: Row) -> bool:
    """Whether the row is of a way to attend that can stand where dense attention does."""
    if row.family == "attention":
        return row.layer in (*_DENSE, *_SHARED)
    return row.family in FAMILIES


def studies(rows: Iterable[Row]) -> list[Study]:
    """Every setting and mode with two lengths or more; forward before train."""
    groups: dict[tuple[str, str, str, str, int, str], list[Row]] = {}
    stand_ins = set()  # told by any row, as one that failed has no error
    for row in rows:
        if row.approximation_error is not None:
            stand_ins.add(row.layer)
        if takes_part(row) and row.seq is not None and row.status not in NOT_MEASURED:
            suffix = machine_suffix(row.machine_id, one_machine=row.one_machine)
            key = (suffix, row.framework, row.device, row.dtype, row.threads, _shape(row))
            groups.setdefault(key, []).append(row)
    ordered = sorted(groups, key=_order)
    return [
        _study(
            Setting(*key, batch=rule),
            mode,
            [row for row in members if row.mode == mode],
            stand_ins,
        )
        for key in ordered
        for rule, members in _by_batch(groups[key]).items()
        for mode in sorted({row.mode for row in members}, key=mode_order)
    ]


def _order(key: tuple[str, str, str, str, int, str]) -> tuple[object, ...]:
    machine, framework, device, dtype, *rest = key
    rank = DTYPES.index(dtype) if dtype in DTYPES else len(DTYPES)
    return machine, configuration_order(framework, ""), device, rank, rest


def _shape(row: Row) -> str:
    heads, size = row.parameters.get("heads"), row.parameters.get("head_dim")
    causal = ", causal" if row.parameters.get("causal") else ""
    padding = row.parameters.get("padding")
    return f"{heads} heads of {size}{causal}{f', padding {padding}' if padding else ''}"


def _by_batch(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows over whose lengths the batch size stays the same, or else the tokens do.

    A sweep that keeps tokens constant has one sequence of lengths beyond them.
    """
    sizes = {(row.batch, row.seq or 0) for row in rows}
    fixed = [
        batch
        for batch in sorted({batch for batch, _ in sizes})
        if sum(size[0] == batch for size in sizes) > 1
    ]
    found = {f"batch size {b}": [row for row in rows if row.batch == b] for b in fixed}
    rest = {size for size in sizes if size[0] not in fixed}
    for tokens in sorted({batch * seq for batch, seq in rest}, reverse=True):
        constant = {(batch, seq) for batch, seq in sizes if batch * seq == tokens}
        beyond = {(batch, seq) for batch, seq in sizes if batch == 1 and seq > tokens}
        if constant & rest and len(constant) > 1:
            members = [row for row in rows if (row.batch, row.seq or 0) in constant | beyond]
            longer = f", of lengths beyond {tokens} one sequence" if beyond else ""
            found[f"{tokens} tokens in all{longer}"] = members
            rest -= constant
    return found


def _study(setting: Setting, mode: str, rows: Sequence[Row], stand_ins: Set[str]) -> Study:
    variants: dict[str, dict[int, Row]] = {}
    names = _names(rows)
    for row in rows:
        variants.setdefault(names[row.case_id], {})[row.seq or 0] = row
    kinds = list(Kind)
    found = [
        Variant(name, _kind(next(iter(members.values())), stand_ins), dict(sorted(members.items())))
        for name, members in variants.items()
    ]
    return Study(
        setting,
        mode,
        tuple(sorted({row.seq or 0 for row in rows})),
        tuple(sorted(found, key=lambda variant: (kinds.index(variant.kind), variant.name))),
    )


def _names(rows: Sequence[Row]) -> dict[str, str]:
    """By case id the layer, with the parameters and the execution that tell it from others."""
    usual = Counter(row.execution for row in rows).most_common(1)[0][0]
    values: dict[tuple[str, str], set[object]] = {}
    for row in rows:
        for key, value in row.parameters.items():
            values.setdefault((row.layer, key), set()).add(value)
    return {
        row.case_id: " ".join(
            [
                row.layer,
                *(f"{k}={v}" for k, v in row.parameters.items() if len(values[row.layer, k]) > 1),
                *([row.execution] if row.execution != usual else []),
            ]
        )
        for row in rows
    }


def _kind(row: Row, stand_ins: Set[str]) -> Kind:
    layer = row.layer
    if layer in _DENSE:
        return Kind.PLAIN if layer == PLAIN else Kind.FUSED if layer in FUSED else Kind.DENSE
    if layer in stand_ins:
        return Kind.APPROXIMATE
    return Kind.SPARSE if row.family == "sparse_attention" else Kind.OTHER
