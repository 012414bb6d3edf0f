"""From typed text to values; each raises a `UsageError` where the text is none of its kind."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from harness.checks import check_axis
from harness.types import UsageError, Value, parse_value


def checked(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same, but argparse shows the message of a `UsageError`."""

    def convert(text: str) -> Any:
        try:
            return kind(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def path(text: str) -> str:
    if not text:
        raise UsageError("the path is empty")
    return text


def names(text: str) -> list[str]:
    if names := [part.strip() for part in text.split(",") if part.strip()]:
        return names
    raise UsageError(f"{text!r} names nothing")


def counts(text: str) -> list[int]:
    values = [parse_value(part) for part in text.split(",")]
    if not all(type(value) is int and value > 0 for value in values):
        raise UsageError(f"{text!r} is not a list of whole numbers above 0, such as 1,32")
    return [int(value) for value in values]


def batches(text: str) -> list[Any]:
    return list(check_axis("batch", [parse_value(part.strip()) for part in text.split(",")]))


def count(text: str) -> int:
    value = parse_value(text)
    if type(value) is not int or value < 1:
        raise UsageError(f"{text!r} is not a whole number above 0")
    return value


def param(text: str) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    if not name or not equals or not values.strip(" ,"):
        raise UsageError(f"{text!r} is not of the form NAME=VALUE,…, such as hidden_size=64,512")
    return name, [parse_value(value) for value in names(values)]


def by_name(params: Iterable[tuple[str, list[Value]]] | None) -> dict[str, list[Value]]:
    """The values of every ``--param``, those of one name together."""
    merged: dict[str, list[Value]] = {}
    for name, values in params or ():
        merged.setdefault(name, []).extend(values)
    return merged
