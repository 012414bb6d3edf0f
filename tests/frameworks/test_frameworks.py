"""Every classic layer in the real frameworks, through real workers, in small sizes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import harness
from harness import catalogue, devices, frameworks, sweep

CLASSIC = list(sweep.read("quick").layers)
SMALL = {
    "in_features": [16], "out_features": [16], "in_channels": [3], "out_channels": [4],
    "size": [6], "input_size": [8], "hidden_size": [8], "heads": [2], "head_dim": [8],
    "features": [16],
}  # fmt: skip


def measure(tmp_path: Path, framework: str, **axes: list[object]):  # type: ignore[no-untyped-def]
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    settings = {"mode": ["forward", "backward", "train"], "batch": [4], "seq": [8], **axes}
    layers = settings.pop("layers", CLASSIC)
    declared = catalogue.load()
    chosen = [layer for name, layer in declared.items() if name in layers]
    known = {name for layer in chosen for preset in layer.presets.values() for name in preset}
    return harness.run(
        "quick",
        layers=layers,  # type: ignore[arg-type]
        framework=[framework],
        params={name: values for name, values in SMALL.items() if name in known},
        passes=1,
        results=tmp_path,
        **settings,
    )


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_every_layer_runs_and_agrees_with_its_reference(tmp_path: Path, framework: str) -> None:
    frame = measure(tmp_path, framework, execution=["eager"])
    inference = (frame["layer"] == "dropout") & (frame["mode"] == "forward")
    assert set(frame[inference]["status"]) == {"not_applicable"}
    rest = frame[~inference]
    assert rest["status"].tolist() == ["ok"] * len(rest), rest[["case_id", "reason"]].to_string()
    assert set(rest["layer"]) == set(CLASSIC)
    assert rest["parity_error"].max() < 1e-4
    assert (rest["latency_s"] > 0).all()
    assert (rest["latency_low_s"] < rest["latency_s"]).all()
    unresolved = rest["memory_method"].str.contains("below")
    assert rest["memory_method"].ne("").all()
    assert (rest["peak_memory_bytes"].isna() == unresolved).all()
    weighted = rest[~rest["layer"].isin(["attention", "dropout"])]
    assert (weighted["parameter_bytes"] > 0).all()
    dense = rest[rest["layer"] == "dense"]
    assert dense["parameter_bytes"].tolist() == [(16 * 16 + 16) * 4] * 3
    assert (rest["flops"] > 0).all()
    assert rest["roofline_fraction"].dropna().between(0, 1.05).all()
    assert not any("ceilings" in warning for said in rest["warnings"] for warning in said)


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_peak_memory_is_what_the_call_touches_at_once(tmp_path: Path, framework: str) -> None:
    """A temporary and an output of 1 to 32 MiB each; no case is carried over to the next."""
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    frame = harness.run(
        "quick",
        layers=["temporary"],
        suites=[str(Path(__file__).parents[1] / "memory_suite.py")],
        framework=[framework],
        execution=["eager"],
        mode=["forward"],
        batch=[32, 1, 8],
        params={"elements": [2**18]},
        passes=1,
        results=tmp_path,
    )
    for row in frame.itertuples():
        known = 2 * 2**20 * row.batch
        assert row.peak_memory_bytes == pytest.approx(known, abs=max(2**20, known / 50))


@pytest.mark.parametrize(
    ("framework", "execution"), [("tensorflow", "compiled"), ("tensorflow", "compiled-xla")]
)
def test_compiled_layers_agree_too(tmp_path: Path, framework: str, execution: str) -> None:
    frame = measure(
        tmp_path, framework, execution=[execution], layers=["dense", "gru"], mode=["train"]
    )
    assert frame["status"].tolist() == ["ok", "ok"], frame["reason"].tolist()


def test_torch_compile_agrees_too(tmp_path: Path) -> None:
    layers, modes = ["dense"], ["forward", "backward", "train"]
    frame = measure(tmp_path, "torch", execution=["compiled"], layers=layers, mode=modes)
    assert frame["status"].tolist() == ["ok"] * 3, frame["reason"].tolist()
    assert (frame["first_call_s"] > 20 * frame["latency_s"]).all()


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_half_precision_agrees_within_its_rounding(tmp_path: Path, framework: str) -> None:
    frame = measure(
        *(tmp_path, framework),
        dtype=["bfloat16"],
        layers=["dense", "lstm"],
        mode=["train"],
        execution=["eager"],
    )
    assert frame["status"].tolist() == ["ok", "ok"], frame["reason"].tolist()
    assert frame["parity_error"].min() > 1e-4


def test_an_execution_that_a_framework_lacks_is_a_row_that_says_so(tmp_path: Path) -> None:
    frame = measure(tmp_path, "torch", execution=["compiled-xla"], layers=["dense"])
    assert set(frame["status"]) == {"unsupported"}
    assert "Inductor, not XLA" in frame["reason"].iloc[0]


@pytest.mark.skipif("cuda" not in devices.available(), reason="there is no NVIDIA GPU here")
@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_every_layer_runs_on_cuda(tmp_path: Path, framework: str) -> None:
    frame = measure(tmp_path, framework, device=["cuda"], execution=["eager"])
    rest = frame[frame["status"] != "not_applicable"]
    assert rest["status"].tolist() == ["ok"] * len(rest), rest[["case_id", "reason"]].to_string()
    if framework == "torch":
        assert (rest["device_time_s"] > 0).all()
        assert (rest["device_time_s"] <= rest["latency_high_s"] * 1.1).all()


def test_frameworks_are_found_without_importing_them() -> None:
    assert frameworks.names() == ["tensorflow", "torch"]
    for name in frameworks.names():
        assert frameworks.installed(name) == (importlib.util.find_spec(name) is not None)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"kernel": 1, "bais": 1}, "sets bais, but the module has bias, kernel"),
        ({"kernel": 1}, "gives no value for bias"),
    ],
)
def test_a_builder_that_forgets_a_weight_is_told(given: dict[str, int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        frameworks.check_weights(given, {"kernel", "bias"}, set())
