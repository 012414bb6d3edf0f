"""What a proof yields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.stats import share_interval


class Verdict(StrEnum):
    """Whether what was found is what was expected."""

    OK = "ok"
    FAILS = "FAILS"
    UNCLEAR = "unclear"
    """The machine was too disturbed to tell; it counts neither way."""
    SKIPPED = "skipped"
    """Nothing was found, for the reason that stands in its place."""
    NOTED = "noted"
    """A figure for the record, with no bound to hold it to."""


@dataclass(frozen=True)
class Row:
    """One line of the table; the texts are for people, the verdict for exit statuses."""

    check: str
    expected: str
    found: str
    verdict: Verdict


def judged(check: str, expected: str, found: str, good: bool) -> Row:
    """A row whose verdict follows from a comparison."""
    return Row(check, expected, found, Verdict.OK if good else Verdict.FAILS)


def skipped(check: str, expected: str, reason: str) -> Row:
    """A row for what cannot be checked here."""
    return Row(check, expected, reason, Verdict.SKIPPED)


def noted(check: str, found: str) -> Row:
    """A row for a figure that nothing is expected of."""
    return Row(check, "", found, Verdict.NOTED)


def share(found: int, tries: int) -> str:
    """``12 of 500: 2.4 % (1.2–4.2)``, with its 95 % interval."""
    low, high = share_interval(found, tries)
    return f"{found} of {tries}: {found / tries:.1%} ({100 * low:.1f}–{100 * high:.1f})"
