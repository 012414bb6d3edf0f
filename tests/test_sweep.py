"""From sweep files and flags to cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_catalogue import CLASSIC

from harness import catalogue, sweep
from harness.types import UsageError

AXES = """
framework = ["*"]
device = ["cpu"]
mode = ["forward", "train"]
execution = ["eager"]
dtype = ["float32"]
threads = [1]
batch = [1, 32]
seq = [16, 64]
"""


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def plan(name: str, frameworks: tuple[str, ...] = ("torch", "tensorflow")) -> list[Any]:
    return sweep.plan(sweep.read(name), catalogue.load(), frameworks, ("cpu",))


def test_every_sweep_of_the_project_can_be_planned() -> None:
    for name in sweep.names():
        assert len(plan(name)) > 15


def test_quick_has_every_classic_layer_both_frameworks_two_batches_two_lengths_and_both_modes() -> (
    None
):
    cases = plan("quick")
    assert {case.layer for case in cases} >= CLASSIC
    for layer in {case.layer for case in cases}:
        mine = [case for case in cases if case.layer == layer]
        assert {case.framework for case in mine} == {"torch", "tensorflow"}
        assert len({case.batch for case in mine}) == 2
        assert len({case.seq for case in mine}) == (2 if mine[0].seq else 1)
        assert {case.mode for case in mine} == {"forward", "train"}
    assert len(cases) == len({case.id for case in cases})


def test_attention_goes_further_on_a_gpu_and_the_quick_one_ends_early() -> None:
    full, quick = sweep.read("attention"), sweep.read("attention_quick")
    ends = {device: full.values("seq", "", "torch", device)[-1] for device in ("cpu", "cuda")}
    assert ends == {"cpu": 16384, "cuda": 131072}
    assert full.axes["batch"] == (1, "tokens=16384")
    assert quick.values("seq", "", "torch", "cuda")[-1] == 4096
    assert {full.presets, quick.presets} == {"bert_like"}


def test_a_layer_without_a_sequence_is_not_swept_over_lengths(tmp_path: Path) -> None:
    name = written(tmp_path, AXES + 'layers = ["dense", "lstm"]')
    cases = plan(name, ("torch",))
    assert [case.seq for case in cases if case.layer == "dense"] == [None] * 4
    assert len([case for case in cases if case.layer == "lstm"]) == 8


def test_the_narrower_table_wins(tmp_path: Path) -> None:
    text = AXES + (
        'layers = ["dense", "conv2d"]\n'
        "[framework_axes.tensorflow]\nbatch = [2]\n[layer_axes.conv2d]\nbatch = [3]\n"
    )
    batches = {(case.framework, case.layer): case.batch for case in plan(written(tmp_path, text))}
    assert batches[("tensorflow", "dense")] == 2
    assert batches[("tensorflow", "conv2d")] == 3
    assert batches[("torch", "dense")] == 32


def test_the_length_may_differ_by_device(tmp_path: Path) -> None:
    text = AXES.replace('["cpu"]', '["*"]') + (
        'layers = ["lstm", "gru"]\n'
        "[device_axes.cuda]\nseq = [128]\nbatch = [4]\n[framework_axes.torch]\nbatch = [2]\n"
        "[layer_axes.gru]\nbatch = [3]\n"
    )
    cases = sweep.plan(
        sweep.read(written(tmp_path, text)), catalogue.load(), ("torch", "keras"), ("cpu", "cuda")
    )
    found = {(c.layer, c.framework, c.device, c.seq): c.batch for c in cases}
    assert {key[2:] for key in found} == {("cpu", 16), ("cpu", 64), ("cuda", 128)}
    assert found["lstm", "keras", "cuda", 128] == 4
    assert found["lstm", "torch", "cuda", 128] == 2
    assert found["gru", "torch", "cuda", 128] == 3


def test_constant_tokens_are_fewer_sequences_where_these_are_longer(tmp_path: Path) -> None:
    text = AXES.replace("[1, 32]", '[1, "tokens=128"]').replace("[16, 64]", "[16, 64, 128, 200]")
    cases = plan(written(tmp_path, text + 'layers = ["lstm"]'), ("torch",))
    forward = [(case.batch, case.seq) for case in cases if case.mode == "forward"]
    # At 128 and beyond it is a batch of 1, which is there already.
    assert forward == [(1, 16), (1, 64), (1, 128), (1, 200), (8, 16), (2, 64)]


def test_tokens_that_are_no_whole_number_of_sequences_are_refused(tmp_path: Path) -> None:
    text = AXES.replace("[1, 32]", '[1, "tokens=128"]').replace("[16, 64]", "[16, 48]")
    with pytest.raises(UsageError, match=r"batch tokens=128 is no whole .* sequences of seq 48"):
        plan(written(tmp_path, text + 'layers = ["lstm"]'), ("torch",))
    assert plan(written(tmp_path, text + 'layers = ["dense"]'), ("torch",))


@pytest.mark.parametrize("name", sweep.names())
def test_every_sweep_that_comes_with_the_project_can_be_planned(name: str) -> None:
    cases = sweep.plan(sweep.read(name), catalogue.load(), ("torch",), ("cpu", "cuda"))
    assert {case.device for case in cases} == {"cpu", "cuda"}


def test_a_layer_without_a_sequence_has_no_constant_tokens(tmp_path: Path) -> None:
    text = AXES.replace("[1, 32]", '[2, "tokens=64"]') + 'layers = ["dense"]'
    assert {case.batch for case in plan(written(tmp_path, text), ("torch",))} == {2}
    text = AXES.replace("[1, 32]", '["tokens=64"]') + 'layers = ["dense"]'
    with pytest.raises(UsageError, match=r"needs a sequence axis, and there is none in dense; "):
        plan(written(tmp_path, text))


def test_several_presets_are_refused(tmp_path: Path) -> None:
    text = AXES + 'layers = ["dense"]\npresets = "first,bert_base"'
    with pytest.raises(UsageError, match="presets 'first,bert_base': one name a run, or all"):
        plan(written(tmp_path, text))


def test_a_preset_by_name_gives_way_to_the_first_where_a_layer_has_none_of_it(
    tmp_path: Path,
) -> None:
    chosen = AXES + 'layers = ["attention", "lstm"]\npresets = "llama_7b"'
    params = {case.layer: case.params for case in plan(written(tmp_path, chosen))}
    layers = catalogue.load()
    assert dict(params["attention"]) == layers["attention"].presets["llama_7b"]
    assert "llama_7b" not in layers["lstm"].presets
    assert dict(params["lstm"]) == next(iter(layers["lstm"].presets.values()))


def test_a_preset_that_no_layer_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    text = AXES + 'layers = ["attention"]\npresets = "lama_7b"'
    with pytest.raises(UsageError, match="unknown preset 'lama_7b'; nearest: llama_7b"):
        plan(written(tmp_path, text))


def test_all_presets_or_the_first(tmp_path: Path) -> None:
    first = plan(written(tmp_path, AXES + 'layers = ["dense"]'))
    every = plan(written(tmp_path, AXES + 'layers = ["dense"]\npresets = "all"'))
    assert len(every) == len(first) * len(catalogue.load()["dense"].presets)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("batch = ", "Invalid value"),
        (AXES.replace("batch = [1, 32]", ""), "no values for batch"),
        (AXES.replace("[1, 32]", "[0]"), "batch 0 is not 1 or more"),
        (AXES.replace("[1, 32]", '["a"]'), "batch 'a' is not a whole number"),
        (AXES.replace("[1, 32]", "[true]"), "batch True is not a whole number"),
        (AXES.replace("[1, 32]", "[1.5]"), "batch 1.5 is not a whole number"),
        (AXES.replace("[1, 32]", "[99999999999999999999]"), "is more than 2147483647"),
        (AXES.replace("[1, 32]", "3"), "batch = 3 is not a list"),
        (AXES.replace("[1, 32]", "[]"), "batch = [] is not a list of values"),
        (AXES.replace('"train"', '"trian"'), "unknown mode 'trian'; nearest: train"),
        (AXES.replace('["cpu"]', "[1]"), "device: 1 is not a name"),
        (AXES.replace('["cpu"]', '"cpu"'), "device = 'cpu' is not a list"),
        (AXES + "layers = [1]", "layers: 1 is not a name"),
        (AXES + 'layers = [""]', "layers: '' is not a name"),
        (AXES + 'layers = "dense"', "layers = 'dense' is not a list"),
        (AXES + "layers = []", "layers = [] is not a list"),
        (AXES + "bacth = [1]", "unknown key 'bacth'; nearest: batch"),
        (AXES + '"*" = [1]', "unknown key '*'"),
        (AXES + 'passes = "three"', "passes 'three' is not a whole number"),
        (AXES + "passes = true", "passes True is not a whole number"),
        (AXES + "passes = 0", "passes 0 is not 1 or more"),
        (AXES + "timeout_s = 0", "timeout_s = 0 is not above 0"),
        (AXES + "sample_s = -1.0", "sample_s = -1.0 is not above 0"),
        (AXES + "sample_s = nan", "sample_s = nan is not above 0"),
        (AXES + "sample_s = inf", "sample_s = inf is not above 0 and below"),
        (AXES + "rel_ci = 0", "rel_ci = 0 is not above 0"),
        (AXES + "rel_ci = 1", "rel_ci = 1 is not above 0 and below 1"),
        (AXES + "rel_ci = true", "rel_ci = True is not a number"),
        (AXES + "presets = 3", "it is 'first', 'all' or the name of a preset"),
        (AXES.replace("[1, 32]", '["tokens=0"]'), "batch tokens= 0 is not 1 or more"),
        (AXES.replace("[1, 32]", '["tokens=many"]'), "batch tokens= 'many' is not a whole number"),
        (AXES.replace("[16, 64]", '["tokens=64"]'), "seq 'tokens=64' is not a whole number"),
        (
            AXES + '[device_axes.cuda]\ndevice = ["cpu"]',
            "unknown axis of device_axes.cuda 'device'",
        ),
        (AXES + "description = 3", "description = 3 is not text"),
        (AXES + "params = 3", "params = 3 is not a table"),
        (AXES + "[params]\nunits = 3", "parameter units = 3 is not a list"),
        (AXES + "[params]\nunits = []", "parameter units = [] is not a list"),
        (AXES + "[params]\nunits = [[1]]", "units = [1] is of type list"),
        (AXES + "[params]\nunits = [nan]", "units = nan is not a finite number"),
        (AXES + "layer_axes = 3", "layer_axes = 3 is not a table"),
        (AXES + "[layer_axes]\nlstm = 3", "layer_axes.lstm = 3 is not a table"),
        (AXES + "[layer_axes.lstm]\nunits = [1]", "unknown axis of layer_axes.lstm 'units'"),
        (AXES + "[layer_axes.lstm]\nbatch = [0]", "layer_axes.lstm.batch 0 is not 1 or more"),
        (AXES + "[framework_axes]\ntorch = []", "framework_axes.torch = [] is not a table"),
        (AXES + '[framework_axes.torch]\nframework = ["*"]', "unknown axis of framework_axes"),
    ],
)
def test_a_broken_sweep_file_is_told_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    name = written(tmp_path, text)
    with pytest.raises(UsageError, match=r"mine\.toml") as error:
        sweep.read(name)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_text_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UsageError, match=r"folder\.toml cannot be read"):
        sweep.read(str(tmp_path / "folder.toml"))
    (tmp_path / "other.toml").write_bytes(b"passes = 1\ndescription = '\xff'")
    with pytest.raises(UsageError, match=r"other\.toml: line 2 is not UTF-8"):
        sweep.read(str(tmp_path / "other.toml"))


def test_the_mark_that_some_editors_put_first_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(AXES, encoding="utf-8-sig")
    assert sweep.read(str(path)).axes["batch"] == (1, 32)


def test_a_sweep_is_no_pattern_and_a_file_has_its_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="unknown sweep"):
        sweep.read("*")
    monkeypatch.chdir(tmp_path)
    written(tmp_path, AXES)
    with pytest.raises(UsageError, match=r"for the file write mine\.toml"):
        sweep.read("mine")


def test_a_closed_axis_takes_patterns(tmp_path: Path) -> None:
    chosen = sweep.read(written(tmp_path, AXES.replace('["forward", "train"]', '["*"]')))
    assert chosen.axes["mode"] == ("forward", "backward", "train")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[layer_axes."*rnn"]\nbatch = [1]', "unknown layer '*rnn'"),
        ('[params]\n"hidden*" = [1]', "unknown parameter 'hidden*'; nearest: hidden_size"),
    ],
)
def test_what_would_be_passed_over_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        plan(written(tmp_path, AXES + text))
    assert complaint in str(error.value)
