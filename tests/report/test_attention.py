"""Attention over the length: crossovers, advice, speedups and drawings of laws known beforehand."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from attention_frames import FEW, FLASH, LENGTHS, MANY, PLAIN, WINDOW, Law, attention_frame, rows
from frames import NAN, frame, row, run
from pages import Page

from harness.report import caps, html, markdown
from harness.report import rows as reading
from harness.report.attention import advice, crossovers, lines
from harness.report.attention.charts import spread
from harness.report.attention.heatmap import heatmap
from harness.report.attention.section import Block, Section, section
from harness.report.attention.study import Kind, Study, studies
from harness.report.heatmap import HeatLine
from harness.report.heatmap import table as heatmap_table
from harness.report.panels import LATENCY, MEMORY
from harness.report.table import Table


def found(members: list[dict[str, Any]]) -> Section:
    return section(reading.read(frame(members)))


def block(members: list[dict[str, Any]]) -> Block:
    (only,) = found(members).blocks
    return only


def study(members: list[dict[str, Any]]) -> Study:
    (only,) = studies(reading.read(frame(members)))
    return only


def column(table: Table, name: str) -> dict[str, str]:
    """The texts of a column by the first cell of their line."""
    index = table.header.index(name)
    return {line[0].text: line[index].text for line in table.rows}


def law(layer: str, family: str = "sparse_attention", **changes: Any) -> Law:
    return replace(WINDOW, layer=layer, family=family, extra=(), **changes)


class TestSection:
    def test_is_absent_without_attention_over_the_length(self) -> None:
        classic = [
            row(layer="attention", family="attention", seq=n, params={"heads": 1, "head_dim": 64})
            for n in (16, 64)
        ]
        one_length = rows(lengths=[128])
        for members in (classic, one_length, [row()], []):
            assert not found(members)
            assert "attention" not in re.findall(r'id="(\w+)"', html.render(frame(members), []))
            assert "## Attention" not in markdown.render(frame(members), [])

    def test_says_what_is_missing_where_nothing_dense_was_measured(self) -> None:
        only = found(rows([WINDOW]))
        assert only.blocks == ()
        (text,) = only.uncompared
        assert "sliding_window_attention cannot be compared (torch on cpu, float32," in text
        assert "Add attention_plain, and sdpa_flash where there is one" in text
        page = html.render(attention_frame(laws=[WINDOW]), [])
        assert text in Page(page).text
        assert "cannot be compared" in markdown.render(attention_frame(laws=[WINDOW]), [])

    def test_says_what_no_sparse_or_fused_variant_would_have_told(self) -> None:
        assert (
            "No sparse or linear attention was measured here."
            in block(rows([PLAIN, FLASH])).remarks
        )
        assert any("No fused dense kernel" in text for text in block(rows([PLAIN, WINDOW])).remarks)
        assert any("attention_plain was not" in text for text in block(rows([FLASH])).remarks)

    def test_failures_of_dense_attention_are_told(self) -> None:
        assert "attention_plain, forward: oom at 16384." in block(rows()).remarks

    def test_settings_are_apart_and_of_each_framework_the_first_is_open(self) -> None:
        members = [
            *rows(dtype="bfloat16"),
            *rows(),
            *rows(framework="tensorflow"),
            *(row | {"params": row["params"] | {"head_dim": 128}} for row in rows()),
            *(row | {"params": row["params"] | {"causal": True}} for row in rows()),
            *(row | {"params": row["params"] | {"padding": 0.25}} for row in rows()),
        ]
        blocks = found(members).blocks
        assert [(b.title.split(", ")[0], b.title.split(", ", 1)[1], b.first) for b in blocks] == [
            ("torch on cpu", "float32, 8 heads of 128, batch size 1", True),
            ("torch on cpu", "float32, 8 heads of 64, batch size 1", False),
            ("torch on cpu", "float32, 8 heads of 64, causal, batch size 1", False),
            ("torch on cpu", "float32, 8 heads of 64, padding 0.25, batch size 1", False),
            ("torch on cpu", "bfloat16, 8 heads of 64, batch size 1", False),
            ("tensorflow on cpu", "float32, 8 heads of 64, batch size 1", True),
        ]

    def test_other_layers_of_the_family_do_other_work_and_stay_out(self) -> None:
        other = law("decode_attention", "attention")
        assert [v.name for v in study(rows([PLAIN, other])).variants] == ["attention_plain"]

    def test_constant_tokens_are_a_setting_of_their_own(self) -> None:
        constant = [
            case | {"batch": max(1, 4096 // case["seq"])} for case in rows(lengths=LENGTHS[:6])
        ]
        of_one = rows(lengths=LENGTHS[:6])
        members = {str(case): case for case in [*constant, *of_one]}
        titles = {b.title.split(", ")[-1]: b.studies[0] for b in found([*members.values()]).blocks}
        assert titles.keys() == {"batch size 1", "4096 tokens in all"}
        # The longest is in both, as it is a batch of 1 there.
        assert all(study.lengths == LENGTHS[:6] for study in titles.values())

    def test_one_sequence_beyond_constant_tokens_is_said(self) -> None:
        constant = [
            case | {"batch": max(1, 1024 // case["seq"])} for case in rows(lengths=LENGTHS[:6])
        ]
        studies_ = [b.studies[0] for b in found(constant).blocks]
        titles = {study.setting.title.split("causal")[-1]: study.lengths for study in studies_}
        (title,) = (title for title in titles if "tokens" in title)
        assert title.endswith(", 1024 tokens in all, of lengths beyond 1024 one sequence")
        assert titles[title] == LENGTHS[:6]

    def test_batches_of_no_constant_tokens_are_not_said_to_be(self) -> None:
        uneven = [case | {"batch": 8192 // case["seq"]} for case in rows(lengths=(96, 320, 448))]
        assert found(uneven).blocks == ()

    def test_variants_of_one_layer_are_told_apart(self) -> None:
        wide = replace(WINDOW, extra=(("window", 512),))
        compiled = rows([PLAIN], execution="compiled")
        names = [v.name for v in study([*rows([*FEW, wide]), *compiled]).variants]
        assert names == [
            "sdpa_flash",
            "attention_plain",
            "attention_plain compiled",
            "sliding_window_attention window=256",
            "sliding_window_attention window=512",
        ]

    def test_kinds_follow_from_name_family_and_error(self) -> None:
        kinds = {variant.layer: v.kind for v in study(rows(MANY)).variants
                 for variant in [v.rows[128]]}  # fmt: skip
        assert kinds["sdpa_math"] is Kind.DENSE
        assert kinds["bigbird_attention"] is Kind.SPARSE
        assert kinds["lsh_attention"] is Kind.APPROXIMATE
        assert kinds["performer_attention"] is Kind.APPROXIMATE
        assert kinds["retention"] is Kind.OTHER
        assert kinds["multi_query_attention"] is Kind.OTHER

    def test_what_failed_in_one_mode_is_of_the_kind_that_it_shows_in_another(self) -> None:
        fails = law("topk_attention", error=0.2, longest=128)  # in train at half of that
        forward, train = studies(
            reading.read(frame(rows([FLASH, fails], (128, 256), ("forward", "train"))))
        )
        kinds = [study_.variants[-1].kind for study_ in (forward, train)]
        assert kinds == [Kind.APPROXIMATE, Kind.APPROXIMATE]


WINDOW_NAME = "sliding_window_attention (leaves nothing out at 128 and 256)"
"""In the table of crossovers: of so short a sequence the window is all."""


class TestCrossovers:
    """Against plain attention the laws cross where 1e-4 + 0.030 x² = 4e-4 + 0.010 x."""

    @pytest.fixture(scope="class")
    def table(self) -> Table:
        return crossovers.table([study(rows())])

    def test_length_in_time_against_both_baselines_with_its_interval(self, table: Table) -> None:
        plain = column(table, "Faster than attention_plain")[WINDOW_NAME]
        fused = column(table, "Faster than sdpa_flash")[WINDOW_NAME]
        for text, length in ((plain, 374), (fused, 884)):
            match = re.fullmatch(r"from (\d+) on \((\d+)–(\d+)\)", text)
            assert match
            value, low, high = map(int, match.groups())
            assert low < length < high
            assert value == pytest.approx(length, rel=0.05)

    def test_length_in_memory(self, table: Table) -> None:
        less = column(table, "Less memory than sdpa_flash")
        assert less[WINDOW_NAME] == "none up to 16384"
        less = column(table, "Less memory than attention_plain")
        assert re.match(r"from 256 on", less[WINDOW_NAME])

    @pytest.mark.parametrize("layer", [PLAIN.layer, WINDOW.layer])
    def test_peaks_too_small_to_read_leave_open_where_it_begins(self, layer: str) -> None:
        members = rows()
        for member in members:
            if member["layer"] == layer and member["seq"] < 512:
                member |= {"peak_memory_bytes": NAN, "memory_method": "VmHWM, below 256 KiB"}
        less = column(crossovers.table([study(members)]), "Less memory than attention_plain")
        assert less[WINDOW_NAME] == "from 512 on, or earlier"

    def test_failures_have_a_column(self, table: Table) -> None:
        assert column(table, "Fails at") == {
            "attention_plain": "16384 (oom)",
            WINDOW_NAME: "",
        }

    @pytest.mark.parametrize(
        ("factors", "text"),
        [
            ((0.5, 0.5, 0.5, 0.5), "from the first length on (128)"),
            ((2, 2, 2, 2), "none up to 1024"),
            ((1, 1, 1, 1), "no difference up to 1024"),
            ((1, 1, 0.5, 0.5), "from 512 on, or earlier"),
            ((0.5, 0.5, 1, 1), "from the first length on (128); no difference from 512 on"),
            ((0.5, 0.5, 2, 2), "below 363 only (256–512)"),
            ((2, 0.5, 2, 0.5), "from 725 on (512–1024); they cross 3 times"),
            ((2, 0.5, 2, 2), "not from 363 on (256–512); they cross 2 times"),
        ],
    )
    def test_what_the_points_say(self, factors: tuple[float, ...], text: str) -> None:
        assert self._told(factors) == text

    def _told(self, factors: tuple[float, ...], **changes: Any) -> str:
        members = rows([FLASH], LENGTHS[:4])
        for case, factor in zip(rows([FLASH], LENGTHS[:4]), factors, strict=True):
            shared = case | {"layer": "bigbird_attention", "family": "sparse_attention"}
            scaled = {name: case[name] * factor for name in case if name.startswith("latency")}
            members.append(row(**{**_conditions(shared), **scaled, **changes}))
        table = crossovers.table([study(members)])
        return column(table, "Faster than sdpa_flash")["bigbird_attention"]

    def test_a_baseline_that_fails_leaves_the_variant_alone(self) -> None:
        slow = law("slow_attention", seconds=1000.0, power=2)
        table = crossovers.table([study(rows([PLAIN, slow]))])
        text = column(table, "Faster than attention_plain")["slow_attention"]
        assert text == "none up to 8192; from 16384 on it alone runs"
        nowhere = replace(PLAIN, longest=1)
        table = crossovers.table([study(rows([nowhere, slow]))])
        text = column(table, "Faster than attention_plain")["slow_attention"]
        assert text == "from 128 on it alone runs"

    def test_a_baseline_that_fails_where_there_was_no_difference_leaves_it_alone(self) -> None:
        alike = replace(PLAIN, layer="alike_attention", family="sparse_attention", longest=10**9)
        table = crossovers.table([study(rows([PLAIN, alike]))])
        text = next(
            text for name, text in column(table, "Faster than attention_plain").items()
            if name.startswith("alike")
        )  # fmt: skip
        assert text == "no difference up to 8192; from 16384 on it alone runs"

    def test_the_fused_baseline_is_the_fastest_at_each_length(self) -> None:
        early = replace(FLASH, layer="sdpa_cudnn", call_s=0.0, power=2.3)
        several = study(rows([FLASH, early]))
        assert several.base_name == "the fastest of sdpa_cudnn, sdpa_flash"
        assert several.base[128].layer == "sdpa_cudnn"
        assert several.base[16384].layer == "sdpa_flash"


def _conditions(case: dict[str, Any]) -> dict[str, Any]:
    kept = ("layer", "family", "mode", "batch", "seq", "params")
    return {name: case[name] for name in kept}


class TestAdvice:
    def best(self, *laws: Law, lengths: tuple[int, ...] = LENGTHS) -> Table:
        return advice.table(study(rows(laws, lengths)))

    def test_each_kind_has_its_fastest_with_its_ratio_to_fused(self) -> None:
        linear = law("linear_attention", "linear_attention", seconds=0.001, error=0.9)
        table = self.best(PLAIN, FLASH, WINDOW, linear)
        line = next(line for line in table.rows if line[0].text == "16384")
        texts = [cell.text for cell in line]
        assert texts[1] == "sdpa_flash"
        assert texts[2] == "3.07 s"
        assert texts[3] == "sliding_window"
        assert re.fullmatch(r"0\.0522× \(0\.048\d–0\.056\d\)", texts[4])
        assert texts[5] == "linear"
        assert texts[7] == "0.90"
        assert texts[8:] == ["sdpa_flash", "67.2 MiB"]

    def test_those_that_intervals_cannot_tell_apart_are_tied(self) -> None:
        near = law("near_attention", seconds=0.0102)
        far = law("far_attention", seconds=0.02)
        names = column(self.best(FLASH, WINDOW, near, far), "Fastest exact sparse")
        assert names["16384"] == "sliding_window, tied: near"

    def test_many_ties_are_counted(self) -> None:
        several = [law(f"{letter}_attention") for letter in "abcd"]
        names = column(self.best(FLASH, *several), "Fastest exact sparse")
        assert names["16384"] == "a, tied: b and 2 more"

    def test_what_is_too_small_to_be_read_is_below_all_that_is_read(self) -> None:
        members = rows()
        for member in members:
            if member["layer"] == WINDOW.layer:
                member |= {"peak_memory_bytes": NAN, "memory_method": "VmHWM, below 256 KiB"}
        table = advice.table(study(members))
        named = {name.partition(" ")[0] for name in column(table, "Least memory").values()}
        assert named == {"sliding_window"}
        assert set(column(table, "Peak").values()) == {"<256 KiB"}

    def test_a_peak_within_the_margin_has_no_ratio_but_one_that_it_is_below(self) -> None:
        small = law("linear_attention", "linear_attention", mib=0.5, memory_power=0, error=0.9)
        peaks = column(self.best(PLAIN, small, lengths=(1024, 4096)), "Peak")
        at_most = (0.5 + 1) / (68 - 0.02 * 68)
        assert re.fullmatch(r"<0\.02\d+×", peaks["1024"])
        assert 0.5 / 68 < float(peaks["1024"][1:-1]) <= 1.01 * at_most

    def test_a_formula_of_its_own_is_no_advice(self) -> None:
        recurrent = law("retention", "linear_attention", seconds=1e-5, mib=0.1)
        table = self.best(FLASH, recurrent)
        assert set(column(table, "Fastest approximate").values()) == {"–"}
        assert set(column(table, "Least memory").values()) == {"sdpa_flash"}

    def test_what_failed_is_said_in_place_of_a_name(self) -> None:
        table = self.best(replace(PLAIN, longest=200), WINDOW)
        assert column(table, "Fastest dense") == {
            str(n): "attention_plain" if n < 200 else "oom" for n in LENGTHS
        }
        # Without a base the figure stands for itself.
        index = table.header.index("Fastest exact sparse") + 1
        assert table.rows[-1][index].text == "160 ms"

    def test_a_sparse_variant_that_leaves_nothing_out_is_marked_at_that_length(self) -> None:
        names = column(self.best(*FEW), "Fastest exact sparse")
        assert names["256"] == "sliding_window (full)"
        assert names["512"] == "sliding_window"

    def test_causal_attention_leaves_out_what_dense_attention_does_not_have_either(self) -> None:
        lengths = (2, 4)
        full = [(n + 1) / (2 * n) for n in lengths]
        for shares, complete in ((full, (2, 4)), ([full[0], 0.5], (2,)), ([0.4, 0.5], ())):
            members = rows([WINDOW], lengths)
            for member, share in zip(members, shares, strict=True):
                member |= {"params": {**member["params"], "causal": True}, "density": share}
            assert study(members).variants[0].complete_at == complete


class TestHeatmap:
    def line(self, *laws: Law, name: str = "sliding_window_attention") -> HeatLine:
        return next(line for line in heatmap(study(rows(laws))).lines if line.name == name)

    def test_speedups_rise_with_the_length_and_failures_are_marked(self) -> None:
        cells = self.line(*FEW).cells
        strengths = [cell.strength for cell in cells]
        assert strengths == sorted(strengths, key=float)  # type: ignore[arg-type]
        assert strengths[0] is not None
        assert strengths[0] < 0 < float(strengths[-1] or 0)
        assert cells[-1].text == "19.2×"
        plain = self.line(*FEW, name="attention_plain").cells[-1]
        assert (plain.text, plain.failed, plain.strength) == ("oom", True, None)

    def test_an_interval_with_one_in_it_is_unsure(self) -> None:
        near = law("near_attention", seconds=FLASH.seconds, call_s=FLASH.call_s, power=2)
        assert all(cell.unsure for cell in self.line(FLASH, near, name="near_attention").cells)
        assert not self.line(*FEW).cells[-1].unsure

    def test_what_was_not_measured_or_stands_alone_has_no_speedup(self) -> None:
        members = [case for case in rows([PLAIN, WINDOW]) if case["seq"] != 512
                   or case["layer"] == PLAIN.layer]  # fmt: skip
        (line,) = heatmap(study(members)).lines
        texts = dict(zip(LENGTHS, (cell.text for cell in line.cells), strict=True))
        assert texts[512] == "–"
        assert texts[16384] == "alone"

    def test_each_cell_has_the_interval_and_the_density_of_its_length(self) -> None:
        cells = self.line(*FEW).cells
        assert [cell.notes[-1] for cell in cells] == [
            "100 %", "100 %", "80.0 %", "40.0 %", "20.0 %", "10.0 %", "5.00 %", "2.50 %",
        ]  # fmt: skip
        table = heatmap_table(heatmap(study(rows())))
        assert table.header == ("Variant", *map(str, LENGTHS))
        assert column(table, "16384")["sliding_window_attention"] == "19.2× (17.8–20.6; 2.50 %)"

    def test_dense_first_then_by_keys_a_query_and_those_without_scores_last(self) -> None:
        names = [line.name for line in heatmap(study(rows(MANY))).lines]
        assert names[:2] == ["attention_plain", "sdpa_math"]
        last = {law.layer for law in MANY if law.share is None}
        assert {*names[-len(last) :]} == last

    def test_what_fails_early_is_ranked_by_its_keys_and_not_by_its_shorter_lengths(self) -> None:
        # Both have 410 keys a query where they are sparse; half of that is sparser at any length.
        early = law("early_attention", share=0.2, longest=1024)
        names = [line.name for line in heatmap(study(rows([FLASH, WINDOW, early]))).lines]
        assert names == ["sliding_window_attention", "early_attention"]
        early = replace(early, share=0.5)
        names = [line.name for line in heatmap(study(rows([FLASH, WINDOW, early]))).lines]
        assert names == ["early_attention", "sliding_window_attention"]


class TestCharts:
    def test_one_line_a_variant_and_out_of_memory_a_failure(self) -> None:
        panel = lines.panel(study(rows()), LATENCY)
        assert panel.ticks == LENGTHS
        assert {line.series: len(line.points) for line in panel.lines} == {
            "sdpa_flash": 8,
            "attention_plain": 7,
            "sliding_window": 8,
        }
        assert panel.description.startswith("Latency, forward, against sequence length at batch")
        assert "16384: oom" in panel.description

    def test_memory_of_plain_grows_with_the_square_and_of_the_window_with_the_length(self) -> None:
        panel = lines.panel(study(rows()), MEMORY)
        peaks = {line.series: dict(line.points) for line in panel.lines}
        assert peaks["attention_plain"][8192].value == 16 * peaks["attention_plain"][2048].value
        assert peaks["sliding_window"][8192].value == 4 * peaks["sliding_window"][2048].value

    def test_rates_have_the_interval_of_the_latency(self) -> None:
        (line,) = lines.panel(study(rows([FLASH])), lines.RATE).lines
        rate = line.points[-1][1]
        assert rate.high / rate.value == pytest.approx(1 / 0.95)
        assert rate.low / rate.value == pytest.approx(1 / 1.05)

    def test_those_that_fail_alike_share_a_line_of_marks(self) -> None:
        math = replace(PLAIN, layer="sdpa_math")
        topk = law("topk_attention", longest=4096)
        late = rows([law("slow_attention")], LENGTHS[:7])
        late.append(row(**_conditions(late[-1]) | {"seq": 16384}, status="timeout"))
        panel = lines.panel(study([*rows([PLAIN, math, topk]), *late]), LATENCY)
        assert [(f.names, f.status, f.lengths) for f in lines.failures(panel)] == [
            (("topk",), "oom", (8192, 16384)),
            (("attention_plain", "sdpa_math"), "oom", (16384,)),
            (("slow",), "timeout", (16384,)),
        ]

    def test_marks_and_names_are_in_the_drawing(self) -> None:
        page = html.render(attention_frame(), [])
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", page)
        assert "attention_plain: oom" in texts
        assert {"sdpa_flash", "attention_plain", "sliding_window"} <= set(texts)

    def test_names_keep_their_distance_and_move_no_more_than_they_must(self) -> None:
        assert spread([0, 50, 100], 10, 100) == [0, 50, 100]
        assert spread([48, 50, 52], 10, 100) == [40, 50, 60]
        assert spread([99, 100, 100], 10, 100) == [80, 90, 100]
        assert spread([], 10, 100) == []


class TestReport:
    @pytest.fixture(scope="class")
    def both(self) -> tuple[str, str]:
        table = attention_frame(modes=("forward", "train"))
        return html.render(table, [run()]), markdown.render(table, [run()])

    def test_page_holds_contents_drawings_and_tables(self, both: tuple[str, str]) -> None:
        page = Page(both[0])
        assert page.open == []
        assert "#attention" in set(page.attributes("href"))
        ids = Counter(page.attributes("id"))
        assert [name for name, number in ids.items() if number > 1] == []
        for title in ("Latency", "Peak memory", "Achieved FLOP/s"):
            for mode in ("forward", "train"):
                start = f"{title}, {mode}, against sequence length at batch size 1. sdpa_flash: "
                assert any(text.startswith(start) for text in page.drawings())
        for text in ("At length n, use …, train", "Speedup over sdpa_flash", "Crossover lengths"):
            assert text in page.text

    def test_markdown_holds_the_tables(self, both: tuple[str, str]) -> None:
        text = both[1]
        assert "## Attention" in text
        for part in ("At length n, use …, train", "Speedup over sdpa\\_flash, forward",
                     "Crossover lengths\n\n| Variant | Mode | Faster than"):  # fmt: skip
            assert part in text
        for lines_ in (part.splitlines() for part in text.split("\n\n") if part.startswith("| ")):
            bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines_}
            assert len(bars) == 1

    def test_of_many_settings_some_are_drawn_and_of_each_device_the_first(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(caps, "LENGTHS", 2)
        places = [("cpu", 1), ("cpu", 2), ("cuda", 1)]
        members = [case for at, n in places for case in rows(device=at, threads=n)]
        drawn = {
            (block.studies[0].setting.device, block.first): block.drawn
            for block in found(members).blocks
        }
        assert drawn == {("cpu", True): True, ("cpu", False): False, ("cuda", True): True}
        page = Page(html.render(frame(members), []))
        assert page.text.count("Its curves would be too many for this page") == 1

    def test_one_variant_only(self) -> None:
        page = Page(html.render(attention_frame(laws=[FLASH]), []))
        assert "No sparse or linear attention was measured here." in page.text
        assert any(text.startswith("Latency, forward") for text in page.drawings())

    def test_nothing_but_failures_and_missing_figures(self) -> None:
        dead = replace(PLAIN, longest=1)
        page = Page(html.render(attention_frame(laws=[dead, replace(WINDOW, longest=1)]), []))
        assert "attention_plain, forward: oom at 128," in page.text
        bare = [case | {"peak_memory_bytes": NAN, "flop_per_s": NAN} for case in rows()]
        page = Page(html.render(frame(bare), []))
        assert "nan" not in page.text.lower()

    def test_hostile_text_stays_text(self) -> None:
        evil = "<script>alert(1)</script>$x^2$|"
        hostile = replace(WINDOW, layer=evil)
        members = rows([FLASH, hostile], framework=evil, device=evil, machine_id=evil)
        page = Page(html.render(frame(members), []))
        assert [tag for tag, _ in page.tags].count("script") == 1
        assert evil in page.text
        assert "<script>" not in markdown.render(frame(members), [])
