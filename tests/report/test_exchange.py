"""A run in the notation of other programs, read as they read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import outcomes
import pandas as pd
import pytest
from frames import NAN, frame, quick, row, run
from pytest_benchmark.stats import Stats
from readers import BENCHER, CUSTOM_SMALLER_IS_BETTER, compared

import harness
from harness.report.exchange import FORMATS
from harness.report.exchange.results import Results
from harness.store import COLUMNS

NONE = pd.DataFrame({"case_id": [], "machine_id": [], "run_id": [], "wall_s": []})
HOSTILE = [text for text in outcomes.HOSTILE if "\ud800" not in text]
"""A lone surrogate is in no file that is text, whichever program wrote it."""


def results(table: pd.DataFrame, samples: pd.DataFrame = NONE) -> Results:
    return Results(table, lambda: [run()], lambda: samples)


def exported(name: str, table: pd.DataFrame, samples: pd.DataFrame = NONE) -> Any:
    """The JSON of a format; what only Python reads, such as NaN, is refused."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(FORMATS[name](results(table, samples)), parse_constant=refuse)


def stored(table: pd.DataFrame) -> pd.DataFrame:
    """The frame with the columns that a stored one has, and in their order."""
    kinds = {name: kind for name, kind in COLUMNS.items() if kind != "object"}
    return table[list(COLUMNS)].astype(kinds)


def hostile(texts: Sequence[str] = HOSTILE) -> pd.DataFrame:
    """Cases that say this wherever they can say something."""
    return frame(
        row(
            layer=text,
            framework=text,
            framework_version=text,
            machine_id="box",
            run_id=text,
            reason=text,
            warnings=[text],
        )
        for text in texts
    )


class TestFiles:
    ODD = ("NA", "nan", "", "007", "1e3", "True", "null", " padded ", "a\rb", 'say "x"', "a,b;c")

    @pytest.mark.parametrize("name", ["csv", "parquet"])
    def test_what_is_read_is_what_was_written(self, name: str, tmp_path: Path) -> None:
        odd = frame(row(reason=text, warnings=[text, ""], seq=None) for text in self.ODD)
        digits = np.random.default_rng(0).lognormal(-7, 3, 300)
        long = frame(row(float(seconds)) for seconds in digits)
        table = stored(pd.concat([quick(), odd, hostile(), long], ignore_index=True))
        content = FORMATS[name](results(table))
        file = tmp_path / f"results.{name}"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        pd.testing.assert_frame_equal(harness.load(file), table, check_exact=True)

    def test_a_csv_that_lacks_a_column_or_is_broken_is_told(self, tmp_path: Path) -> None:
        file = tmp_path / "results.csv"
        file.write_text(harness.store.to_csv(stored(quick()).drop(columns="threads")))
        with pytest.raises(harness.types.HarnessError, match="no column threads"):
            harness.load(file)
        text = harness.store.to_csv(stored(quick()))
        file.write_text(text.replace("{", "("))
        with pytest.raises(harness.types.HarnessError, match="column params holds"):
            harness.load(file)


class TestJson:
    def test_every_row_and_column_is_there_and_nothing_is_nan(self) -> None:
        found = exported("json", quick())
        assert len(found["cases"]) == len(quick())
        assert found["cases"][0].keys() == set(quick().columns)
        assert found["cases"][0]["params"] == {"units": 256}
        assert found["cases"][0]["seq"] is None
        assert found["cases"][0]["device_time_s"] is None
        assert found["runs"][0]["machine"]["cpu"]["model"] == "AMD EPYC 7B13"

    def test_strange_texts_are_kept(self) -> None:
        assert [case["layer"] for case in exported("json", hostile())["cases"]] == HOSTILE


class TestFigures:
    @pytest.mark.parametrize(
        ("name", "schema"),
        [("github-action-benchmark", CUSTOM_SMALLER_IS_BETTER), ("bencher", BENCHER)],
    )
    def test_they_follow_the_schema_of_their_reader(self, name: str, schema: Any) -> None:
        for table in (frame([]), quick(), hostile()):
            schema(exported(name, table))

    def test_a_figure_keeps_its_interval_and_says_where_it_is_from(self) -> None:
        table = frame([row(2e-3)])
        case = table["case_id"][0]
        entries = {entry["name"]: entry for entry in exported("github-action-benchmark", table)}
        latency = entries[f"{case} latency"]
        assert latency["value"] == pytest.approx(2e6)
        assert (latency["unit"], latency["range"]) == ("ns", "± 9.55 %")
        assert latency["extra"].splitlines() == [
            "median with its 95 % interval: 2.00 ms (1.82–2.20)",
            "torch 2.13.0 on box, run run-1",
        ]
        assert entries[f"{case} peak memory"]["value"] == 2**20
        assert "range" not in entries[f"{case} peak memory"]
        measures = exported("bencher", table)[case]
        assert measures["latency"] == pytest.approx(
            {"value": 2e6, "lower_value": 2e6 / 1.1, "upper_value": 2.2e6}
        )
        assert measures["parameters"] == {"value": 2**18}
        assert "kernels" not in measures

    def test_what_failed_or_is_missing_is_left_out(self) -> None:
        failed = [row(batch=n, status=s) for n, s in enumerate(("oom", "mismatch", "error"), 2)]
        table = frame([row(peak_memory_bytes=NAN), *failed])
        (case,) = exported("bencher", table)
        assert case == table["case_id"][0]
        names = [entry["name"] for entry in exported("github-action-benchmark", table)]
        assert f"{case} latency" in names
        assert all(name.startswith(case) for name in names)
        assert f"{case} peak memory" not in names
        assert [one["fullname"] for one in exported("pytest-benchmark", table)["benchmarks"]] == [
            case
        ]

    def test_of_a_case_that_was_measured_again_the_later_counts(self) -> None:
        table = frame([row(1e-3, run_id="old", started_at="2026-01-01"), row(3e-3)])
        (measures,) = exported("bencher", table).values()
        assert measures["latency"]["value"] == pytest.approx(3e6)

    def test_machines_are_told_apart(self) -> None:
        table = frame([row(machine_id="left"), row(machine_id="right")])
        case = table["case_id"][0]
        assert list(exported("bencher", table)) == [f"{case} (left)", f"{case} (right)"]


class TestPytestBenchmark:
    SAMPLES = (1.1e-3, 0.9e-3, 1.0e-3, 1.3e-3, 1.05e-3, 9e-3)

    def samples(self, table: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            [(*of, s) for of in zip(*(table[name] for name in NONE.columns[:-1]), strict=True)
             for s in self.SAMPLES],
            columns=NONE.columns,
        )  # fmt: skip

    def test_statistics_are_those_that_it_makes_itself(self) -> None:
        table = frame([row()])
        (benchmark,) = exported("pytest-benchmark", table, self.samples(table))["benchmarks"]
        theirs = Stats()
        for seconds in self.SAMPLES:
            theirs.update(seconds)
        for name in ("min", "max", "mean", "stddev", "median", "ops", "total", "rounds"):
            assert benchmark["stats"][name] == pytest.approx(getattr(theirs, name))
        assert benchmark["stats"]["outliers"] == theirs.outliers
        assert set(Stats.fields) <= benchmark["stats"].keys()
        assert benchmark["extra_info"]["latency_s"] == 1e-3

    def test_samples_that_do_not_count_are_left_out(self) -> None:
        table = frame([row()])
        taken = self.samples(table).assign(counted=[True] * 5 + [False])
        (benchmark,) = exported("pytest-benchmark", table, taken)["benchmarks"]
        assert benchmark["stats"]["max"] == 1.3e-3

    def test_samples_of_machines_whose_runs_share_an_id_stay_apart(self) -> None:
        table = frame(row(machine_id=name) for name in ("left", "right"))
        taken = self.samples(table)
        taken.loc[taken["machine_id"] == "right", "wall_s"] *= 2
        found = exported("pytest-benchmark", table, taken)["benchmarks"]
        assert [one["stats"]["rounds"] for one in found] == [len(self.SAMPLES)] * 2
        assert found[1]["stats"]["min"] == pytest.approx(2 * found[0]["stats"]["min"])

    def test_it_sets_frameworks_and_files_beside_each_other(self, tmp_path: Path) -> None:
        table = frame([row(framework=name) for name in ("torch", "tensorflow")])
        files = [tmp_path / "before.json", tmp_path / "after.json"]
        for file in files:
            text = FORMATS["pytest-benchmark"](results(table, self.samples(table)))
            assert isinstance(text, str)
            file.write_text(text)
        said = compared(files[0], str(files[1]), "--columns=median,rounds")
        assert "benchmark 'dense/cpu/forward/float32/b32-units=256': 4 tests" in said
        assert said.count("torch eager (") == 2

    def test_it_reads_hostile_names(self, tmp_path: Path) -> None:
        file = tmp_path / "run.json"
        text = FORMATS["pytest-benchmark"](results(hostile()))
        assert isinstance(text, str)
        file.write_text(text)
        assert compared(file).count(": 1 tests") == len(HOSTILE)


class TestMarkdown:
    def test_a_line_a_case_and_a_column_a_framework(self) -> None:
        text = FORMATS["markdown"](results(frame([row(), row(framework="tensorflow")])))
        assert isinstance(text, str)
        head, _, line = text.splitlines()[:3]
        assert head == "| Layer | Mode | Size | torch eager | tensorflow eager |"
        assert line.startswith("| dense | forward | b32 | 1.00 ms (0.909–1.10) |")

    def test_names_stay_text(self) -> None:
        text = FORMATS["markdown"](results(hostile()))
        assert isinstance(text, str)
        assert "<script>" not in text
        assert "@everyone" not in text
        assert len(text.splitlines()) == 2 + len(HOSTILE) + 2
