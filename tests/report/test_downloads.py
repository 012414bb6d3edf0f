"""The data inside a page are the data it was made from."""

from __future__ import annotations

import base64
import gzip
import io
import json
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pandas as pd
import pytest
from frames import frame, quick, row, run
from pages import Page

import harness
from harness.report import caps, downloads, html
from harness.report.downloads import Data


def made(table: pd.DataFrame) -> dict[str, downloads.Download]:
    return {one.kind: one for one in downloads.data(table, [run()]).downloads}


def content(one: downloads.Download) -> bytes:
    """What a reader gets, unpacked."""
    head, _, body = one.href.partition(",")
    assert head.endswith(";base64")
    packed = base64.b64decode(body)
    assert len(packed) == one.size
    return gzip.decompress(packed) if one.name.endswith(".gz") else packed


def test_parquet_reads_back_as_the_same_frame(tmp_path: Path) -> None:
    table = quick()
    parquet = made(table)["Parquet"]
    file = tmp_path / parquet.name
    file.write_bytes(content(parquet))
    again = harness.load(file)
    pd.testing.assert_frame_equal(
        again[list(table)], table.astype(again[list(table)].dtypes.to_dict())
    )


def test_csv_reads_back_as_the_same_frame_with_every_digit(tmp_path: Path) -> None:
    table = quick()
    file = tmp_path / "layerbench.csv"
    file.write_bytes(content(made(table)["CSV"]))
    again = harness.load(file)
    pd.testing.assert_frame_equal(
        again[list(table)], table.astype(again[list(table)].dtypes.to_dict()), check_exact=True
    )


def test_csv_is_that_of_an_export() -> None:
    assert content(made(quick())["CSV"]).decode() == harness.store.to_csv(quick())


@pytest.mark.parametrize("evil", ["a\"b'c<d>&#%\n,;é", "\u202e\x00"])
def test_hostile_text_is_data(evil: str) -> None:
    table = frame([row(reason=evil, warnings=[evil, "\ud800"])])
    found = made(table)
    assert not set('"<> \n') & set(found["CSV"].href)
    again = pd.read_csv(io.BytesIO(content(found["CSV"])))
    assert json.loads(again["warnings"][0]) == [evil, "?"]
    assert again["reason"][0] == evil
    assert pd.read_parquet(io.BytesIO(content(found["Parquet"])))["reason"][0] == evil


def test_the_same_data_give_the_same_bytes() -> None:
    assert made(quick()) == made(quick())


def test_what_is_too_large_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "ROWS", 1)
    table = frame([row(), row(batch=1)])
    assert downloads.data(table, [run()]) == Data(2, (), "run-1.parquet")
    assert downloads.data(table.head(1), [run()]).downloads


@pytest.mark.parametrize("evil", ["javascript:alert(1)", '../a b"><script>', "100%20é#x?y", "a/b"])
def test_a_file_beside_the_page_is_linked_to_by_a_name_that_stays_one(
    evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "ROWS", 1)
    table, runs = frame([row(), row(batch=1)]), [run(run_id=evil)]
    page = Page(html.render(table, runs))
    (link,) = (found for tag, found in page.tags if tag == "a" and "download" in found)
    name = caps.data_file(table, runs)
    assert link["download"] == name
    assert (link["href"] or "").startswith("./")
    assert not set('":?#<> ') & set(link["href"] or "")
    followed = urlsplit(urljoin((tmp_path / "report.html").as_uri(), link["href"]))
    assert Path(unquote(followed.path)) == tmp_path / name
    assert "layerbench export --format csv=FILE RUN" in page.text


def test_what_no_link_can_hold_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_LONGEST", 10)
    page = Page(html.render(frame([row()]), [run()]))
    assert not any(page.attributes("download"))
    assert "1 row are too large" not in page.text
    assert "too large for this file" in page.text


def test_no_rows_make_no_file() -> None:
    assert downloads.data(pd.DataFrame(), []) == Data(0, (), "")
