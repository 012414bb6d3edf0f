"""Damaged Parquet and CSV files: the journal or the other lines are read, and it is said."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import journals
import pandas as pd
import pytest

from harness import store
from harness.store import parquet
from harness.types import HarnessError

fault = pytest.mark.fault
NAMED = "The other lines load; line and column are named"


def foreign(file: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(file)


def newer(file: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    marks = {**table.schema.metadata, b"layerbench_schema": b"99"}
    pq.write_table(table.replace_schema_metadata(marks), file)


def other_type(file: Path) -> None:
    frame = pd.read_parquet(file).assign(params="{}")
    frame["batch"] = "two"
    _write(file, frame)


def _write(file: Path, frame: pd.DataFrame, made_from: str = "") -> None:
    frame["params"] = [{}] * len(frame)
    file.write_bytes(parquet.to_parquet(frame, made_from))


BROKEN_PARQUET = [
    pytest.param(lambda file: file.write_bytes(b""), "is broken", id="empty",
        marks=fault("A Parquet file is empty", "The journal is read instead, and it is said")),
    pytest.param(lambda file: file.write_bytes(file.read_bytes()[:-500]), "is broken", id="cut",
        marks=fault("A Parquet file is cut short", "The journal is read instead, and it is said")),
    pytest.param(lambda file: journals.flip(file, 100), "is broken", id="flipped",
        marks=fault("A bit flips in a Parquet file",
            "Its page's checksum tells; the journal is read instead, and it is said")),
    pytest.param(lambda file: file.write_bytes(b"rubbish"), "is broken", id="rubbish"),
    pytest.param(foreign, "was not written by layerbench", id="foreign",
        marks=fault("A Parquet file is somebody else's",
            "The journal is read instead, and it is said")),
    pytest.param(newer, "schema 99, this layerbench reads up to", id="newer",
        marks=fault("A Parquet file is of a newer schema",
            "The journal is read instead, and it is said")),
]  # fmt: skip


class TestParquet:
    @pytest.mark.parametrize(("damage", "told"), BROKEN_PARQUET)
    def test_a_broken_file_is_named_and_the_journal_read(
        self, collected: Path, tmp_path: Path, damage: Callable[[Path], Any], told: str
    ) -> None:
        expected = store.load(collected)
        damage(collected / journals.CASES)
        frame, (found,) = journals.loaded(collected)
        pd.testing.assert_frame_equal(frame, expected)
        assert found.path == collected / journals.CASES
        assert told in found.what
        assert "its journal was read instead" in found.what
        shutil.copy(collected / journals.CASES, tmp_path / "alone.parquet")
        with pytest.raises(HarnessError, match=told):
            store.load(tmp_path / "alone.parquet")
        frame, both = journals.loaded([collected / journals.PLAN, tmp_path / "alone.parquet"])
        assert len(frame) == 3
        assert [one.path.name for one in both] == [journals.CASES, "alone.parquet"]
        journals.loaded(collected, store.collect)
        assert journals.loaded(collected)[1] == []

    @fault(
        "Any one bit flips in a Parquet file, footer included",
        "It is told, or all that is read is as it was",
    )
    def test_no_flipped_bit_changes_what_is_read(self, collected: Path, tmp_path: Path) -> None:
        expected = store.load_samples(collected / journals.SAMPLES)
        content = (collected / journals.SAMPLES).read_bytes()
        draw = random.Random(0)
        told = 0
        for _ in range(250):
            file = tmp_path / "samples.parquet"
            file.write_bytes(content)
            journals.flip(file, draw.randrange(len(content)), draw.randrange(8))
            try:
                pd.testing.assert_frame_equal(store.load_samples(file), expected)
            except HarnessError:
                told += 1
        assert told > 50

    def test_no_number_of_rows_passes_that_is_not_the_file_s(
        self, collected: Path, tmp_path: Path
    ) -> None:
        expected = store.load_samples(collected / journals.SAMPLES)
        content = (collected / journals.SAMPLES).read_bytes()
        twice = 2 * len(expected)  # as the footer writes a number: doubled, seven bits a byte
        number = bytes([twice & 127 | 128, twice >> 7] if twice > 127 else [twice])
        places = [found.start() for found in re.finditer(re.escape(number), content)]
        assert len(places) > 5
        file = tmp_path / "samples.parquet"
        for place, bit in product(places, (4, 5, 6)):
            file.write_bytes(content)
            journals.flip(file, place, bit)
            with contextlib.suppress(HarnessError):
                pd.testing.assert_frame_equal(store.load_samples(file), expected)

    def test_a_column_of_another_type_is_broken(self, collected: Path) -> None:
        other_type(collected / journals.CASES)
        with pytest.raises(HarnessError, match="is broken"):
            store.load(collected / journals.CASES)

    @fault("A Parquet file holds what cannot be", "Its other rows load, and those are named")
    @pytest.mark.parametrize(
        ("column", "value"),
        [("status", "okay"), ("latency_s", -1.0), ("flops", float("inf")), ("batch", -2)],
    )
    def test_rows_that_cannot_be_are_left_out(
        self, collected: Path, column: str, value: Any
    ) -> None:
        frame = store.load(collected).copy()
        frame[column] = [frame[column][0], value, frame[column][2]]
        _write(collected / journals.CASES, frame)
        read, (damage,) = journals.loaded(collected / journals.CASES)
        assert len(read) == 2
        assert damage.lines == 1
        assert f"1 of 3 rows is left out: 2 ({column} is {value!r})" in damage.what


class TestCsv:
    @pytest.fixture
    def table(self, collected: Path, tmp_path: Path) -> Iterator[tuple[Path, pd.DataFrame]]:
        frame = store.load(collected)
        file = tmp_path / "results.csv"
        file.write_text(store.to_csv(frame), encoding="utf-8")
        return file, frame

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            pytest.param(
                lambda line: line[: len(line) // 2] + b"\n",
                "fields, where there are",
                marks=fault("A line of a CSV file has too few or too many fields", NAMED),
            ),
            (lambda line: line[:-1] + b",1\n", "fields, where there are"),
            (lambda line: line.replace(b'"ok"', b'"okay"'), "column status holds 'okay'"),
            pytest.param(
                lambda line: line.replace(b',1,2,"",', b',one,2,"",'),
                "column threads holds 'one'",
                marks=fault("A figure in a CSV file is no number", NAMED),
            ),
            (lambda line: line.replace(b',1,2,"",', b',1,-2,"",'), "column batch holds '-2'"),
            pytest.param(
                lambda line: line.replace(b"scale", b"sc\xffle"),
                "column case_id holds",
                marks=fault("A CSV file holds bytes that are no text", NAMED),
            ),
            (lambda line: line.replace(b'"{""us"": 30}"', b'"[]"'), "column params holds '[]'"),
        ],
        ids=["cut", "more", "status", "number", "negative", "no text", "no object"],
    )
    def test_a_damaged_line_is_named_and_the_others_load(
        self, table: tuple[Path, pd.DataFrame], change: Callable[[bytes], bytes], told: str
    ) -> None:
        file, frame = table
        rows = file.read_bytes().splitlines(keepends=True)
        assert change(rows[2]) != rows[2]
        rows[2] = change(rows[2])
        file.write_bytes(b"".join(rows))
        read, (damage,) = journals.loaded(file)
        pd.testing.assert_frame_equal(read, frame.iloc[[0, 2]].reset_index(drop=True))
        assert damage.lines == 1
        assert "1 of 3 lines is left out: 3 (" in damage.what
        assert told in damage.what

    @fault("A CSV file is cut short", "What is whole of it loads, and the rest is named")
    def test_a_file_cut_in_a_text_is_named(self, table: tuple[Path, pd.DataFrame]) -> None:
        file, frame = table
        file.write_bytes(file.read_bytes()[:-10])
        read, (damage,) = journals.loaded(file)
        pd.testing.assert_frame_equal(read, frame.iloc[:2])
        assert "4 (" in damage.what

    def test_a_file_of_which_nothing_is_sound_is_an_error(
        self, table: tuple[Path, pd.DataFrame]
    ) -> None:
        file, _ = table
        header = file.read_bytes().splitlines(keepends=True)[0]
        file.write_bytes(header + b"a,b,c\n")
        with pytest.raises(HarnessError, match=r"3 fields, where there are .* writes it anew"):
            store.load(file)
