"""Cases and measurements survive the trips they make: as ids, as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.types import Case, Measurement, Status, UsageError

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
values = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,8}", fullmatch=True).filter(
        lambda text: text not in ("True", "False") and not text.lower().startswith(("nan", "inf"))
    ),
)
cases = st.builds(
    Case,
    layer=names,
    framework=st.sampled_from(["torch", "tensorflow"]),
    device=st.sampled_from(["cpu", "cuda"]),
    mode=st.sampled_from(["forward", "backward", "train"]),
    execution=st.sampled_from(["eager", "compiled", "compiled-xla"]),
    dtype=st.sampled_from(["float32", "bfloat16"]),
    threads=st.integers(1, 64),
    batch=st.integers(1, 4096),
    seq=st.none() | st.integers(1, 10**6),
    params=st.dictionaries(names, values, max_size=3).map(lambda found: tuple(found.items())),
)


@given(cases)
def test_a_case_is_read_back_from_its_id(case: Case) -> None:
    assert Case.parse(case.id) == case


@given(cases)
def test_a_case_is_read_back_from_json(case: Case) -> None:
    assert Case.from_json(json.loads(json.dumps(case.to_json()))) == case


def test_an_id_reads_as_the_documentation_says() -> None:
    case = Case("lstm", "torch", "cpu", "train", "eager", "float32", 1, 32, 128, (("units", 64),))
    assert case.id == "lstm/torch/cpu/train/eager/float32/b32-s128-units=64"
    assert Case.parse(case.id.replace("s128", "s128-t2")).threads == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lstm", "has 1 parts, not 7"),
        ("lstm/torch/cpu/train/eager/float32/s128", "names no batch size"),
        ("lstm/torch/cpu/train/eager/float32/b32-x9", "cannot read"),
    ],
)
def test_a_broken_id_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Case.parse(text)


def test_text_that_an_id_could_not_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        Case("a", "torch", "cpu", "train", "eager", "float32", 1, 1, None, (("f", "a/b"),))


def test_a_measurement_is_read_back_from_json() -> None:
    case = Case.parse("lstm/torch/cpu/train/eager/float32/b32-s128-units=64")
    measurement = Measurement(
        *(case, "latency", 2, Status.OK, "2026-01-01T00:00:00+00:00"),
        warnings=("w",),
        samples_s=(1e-3, 2e-3),
        parity_error=1e-7,
    )
    assert Measurement.from_json(json.loads(json.dumps(measurement.to_json()))) == measurement


def test_what_fails_a_run() -> None:
    assert {status for status in Status if not status.failed} == {
        Status.OK,
        Status.UNSUPPORTED,
        Status.NOT_APPLICABLE,
    }
