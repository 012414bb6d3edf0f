"""Files that claim far more than they hold, or are none; run as a program it reads some.

The program prints for each what was told of it, and the most memory that it held so far.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from harness import runner, store
from harness.damage import noticed
from harness.gate.outcome import Outcome
from harness.types import HarnessError

GIGABYTES = 10 * 2**30
MANY = 20_000_000


class Bomb(NamedTuple):
    """What is wrong with a file, what comes of it, what is told, and what makes it of a run."""

    what: str
    outcome: str
    told: str
    make: Callable[[Path], Path | None]


def _instead(name: str, make: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Something else in place of a file of a run."""

    def put(run: Path) -> None:
        (run / name).unlink()
        make(run / name)

    return put


def _product(path: Path) -> None:
    text = (resources.files("suites") / "sweeps" / "quick.toml").read_text("utf-8")
    for axis in ("batch", "seq", "threads"):
        text = re.sub(rf"(?m)^{axis} = .*$", f"{axis} = {[*range(1, 10_001)]}", text)
    path.write_text(text, "utf-8")


def _deep(path: Path) -> None:
    path.write_text(f"x = {'[' * 10**5}", "utf-8")


def _holes(path: Path) -> None:
    """So long, and on the disk nothing."""
    with path.open("wb") as file:
        file.truncate(GIGABYTES)


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _parquet(change: Callable[[pa.Table], pa.Table], lie: int = 0) -> Callable[[Path], Any]:
    """Another file in place of ``cases.parquet``, and nothing else."""

    def put(run: Path) -> None:
        path = run / "cases.parquet"
        pq.write_table(change(pq.read_table(path)), path, compression="zstd")
        if lie:
            _understate(path, lie)
        for name in ("run.json", "journal.jsonl", "samples.parquet"):
            (run / name).unlink()

    return put


def _with(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _long_list(table: pa.Table) -> pa.Table:
    ends = pa.array([0, MANY, MANY, MANY], pa.int32())
    lists = pa.ListArray.from_arrays(ends, pa.nulls(MANY, pa.string()))
    return _with(table, "warnings", lists)


def _one_text(table: pa.Table) -> pa.Table:
    """In each of twenty thousand rows a text of a million letters, which is there once."""
    rows = table.take([0] * 20_000)
    texts = pa.DictionaryArray.from_arrays([0] * len(rows), ["x" * 2**20])
    return _with(rows, "reason", texts.cast(pa.dictionary(pa.int32(), pa.string())))


def _one_list(table: pa.Table) -> pa.Table:
    """Likewise, in a list."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * 2**20])
    ends = pa.array([0, len(texts), len(texts), len(texts)], pa.int32())
    return _with(table, "warnings", pa.ListArray.from_arrays(ends, texts))


def _understate(path: Path, number: int) -> None:
    """Makes 1 of a number, wherever the footer has it; in as many bytes."""
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    start = len(content) - 8 - size
    said, least = _varint(2 * number), _varint(2)
    padded = bytes([least[0] | 128, *[128] * (len(said) - 2), 0])
    assert said in content[start:]
    path.write_bytes(content[:start] + content[start:].replace(said, padded))


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def _alone(name: str, make: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """A file, and no run beside it."""

    def put(run: Path) -> Path:
        shutil.rmtree(run)
        run.mkdir()
        make(run / name)
        return run / name

    return put


def _long_line(path: Path) -> None:
    with path.open("wb") as file:
        file.write(",".join(store.COLUMNS).encode() + b'\n"')
        file.truncate(2**29)


CLAIM = "It is refused by what its pages claim, before they are unpacked"
NOT_READ = "It is not opened, and that is said"
BOMBS = {
    "plan-holes": Bomb(
        "A run.json of 10 GB with nothing in it, as a file with holes is",
        "It is not read, and that is said", "it is larger than 256 MiB",
        _instead("run.json", _holes)),
    "plan-zeros": Bomb(
        "A run.json is a link to /dev/zero", NOT_READ, "it is no regular file",
        _instead("run.json", _zeros)),
    "plan-pipe": Bomb(
        "A run.json is a pipe into which nobody writes", NOT_READ, "it is no regular file",
        _instead("run.json", os.mkfifo)),
    "plan-loop": Bomb(
        "A run.json is a link to itself", "It is as if there were none", "holds no run.json",
        _instead("run.json", _loop)),
    "journal-zeros": Bomb(
        "A journal is a link to /dev/zero", NOT_READ, "it is no regular file",
        _instead("journal.jsonl", _zeros)),
    "journal-pipe": Bomb(
        "A journal is a pipe into which nobody writes", NOT_READ, "it is no regular file",
        _instead("journal.jsonl", os.mkfifo)),
    "parquet-pipe": Bomb(
        "A Parquet file is a pipe into which nobody writes", NOT_READ, "it is no regular file",
        _instead("cases.parquet", os.mkfifo)),
    "parquet-list": Bomb(
        "A kilobyte of Parquet holds a list of twenty million", CLAIM, "of memory or more",
        _parquet(_long_list)),
    "parquet-lie": Bomb(
        "Likewise, and its footer says that it is one", CLAIM, "of memory or more",
        _parquet(_long_list, MANY)),
    "parquet-text": Bomb(
        "A few kilobytes of Parquet repeat a text of a megabyte 20,000 times",
        "It is refused before the texts are written out", "of memory or more",
        _parquet(_one_text)),
    "parquet-texts": Bomb(
        "Likewise, in a list", "It is refused before the texts are written out",
        "of memory or more", _parquet(_one_list)),
    "csv-line": Bomb(
        "A CSV file has a field of half a gigabyte",
        "It is read in pieces, none of which is a row", "field larger than field limit",
        _alone("results.csv", _long_line)),
    "sweep-zeros": Bomb(
        "A sweep is a link to /dev/zero", NOT_READ, "it is no regular file",
        _alone("sweep.toml", _zeros)),
    "sweep-holes": Bomb(
        "A sweep of 10 GB", "It is not read, and that is said", "it is larger than 1 MiB",
        _alone("sweep.toml", _holes)),
    "sweep-product": Bomb(
        "A sweep comes to more than 10 to the 12th cases",
        "They are counted before they are made, and it is refused",
        "and 250000 is the most there can be",
        _alone("sweep.toml", _product)),
    "sweep-deep": Bomb(
        "A sweep is nested a hundred thousand deep", "That is said in a line",
        "nested too deep", _alone("sweep.toml", _deep)),
    "outcome-pipe": Bomb(
        "What a gate found is a pipe into which nobody writes", NOT_READ, "it is no regular file",
        _alone("outcome.json", os.mkfifo)),
    "outcome-holes": Bomb(
        "What a gate found is a file of 10 GB", "It is not read, and that is said",
        "it is larger than 256 MiB", _alone("outcome.json", _holes)),
}  # fmt: skip


def made(name: str, run: Path, folder: Path) -> str:
    """The folder, with a copy of the run that was spoilt so."""
    shutil.copytree(run, folder)
    return str(BOMBS[name].make(folder) or folder)


def contents(path: Path) -> dict[str, bytes]:
    """Of a file, or of all files below a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return {str(file): file.read_bytes() for file in files if file.is_file()}


def main() -> None:
    """Reads what is named in an argument, and prints a line of JSON for each."""
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, resource.RLIM_INFINITY))
    for name, path in json.loads(sys.argv[1]).items():
        said = []
        with noticed(lambda damage: None) as damaged:
            try:
                _read(path)
            except (HarnessError, OSError) as error:
                said.append(str(error))
        said += map(str, damaged)
        (peak,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii"))
        print(json.dumps({"name": name, "told": said, "peak": int(peak) * 1024}))


def _read(path: str) -> None:
    match Path(path).suffix:
        case ".toml":
            runner.make_plan(runner.Request(path))
        case ".json":
            Outcome.from_file(Path(path))
        case ".csv":
            store.load(path)
        case _:
            store.load(path)
            store.load_runs(path)


if __name__ == "__main__":
    main()
