"""The comment on a pull request and the job's summary, read as GitHub's dialect is read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser

import outcomes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from harness.gate.outcome import Outcome, Verdict
from harness.report.gate import FORMATS, markdown, summary, tables
from harness.stats import Interval

PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
OUR_HTML = re.compile(
    r"<!-- layerbench-regress -->|</?details>|</?code>|<summary>[\w ]*</summary>", re.ASCII
)
LINKED = re.compile(r"https?://|\bwww\.|(?<!\w)#\d|\bGH-\d|@\w", re.IGNORECASE)
"""What GitHub makes a link or a mention of, outside code."""


class Text(HTMLParser):
    """The text of a page by whether it is code, and every tag in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.code = 0
        self.prose: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self.code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self.code:
            self.prose.append(data)


def tokens(text: str) -> Iterator[Token]:
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def table_rows(text: str) -> list[list[int]]:
    """By table, the number of cells of each row."""
    found: list[list[int]] = []
    for token in tokens(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append(0)
        elif token.type in ("td_open", "th_open"):
            found[-1][-1] += 1
    return found


def test_the_verdict_comes_first_with_counts_worst_case_threshold_and_error_rate() -> None:
    lines = FORMATS["markdown"](outcomes.full()).splitlines()
    assert lines[0] == "<!-- layerbench-regress -->"
    assert lines[1].startswith("**3 of 6 cases are worse: 1 regression, 1 failed on head and 1 van")
    told = " ".join(lines[2:8])
    assert "Worst: lstm/torch/cpu/train/eager/float32/b32-s128, latency 1.23× (1.20–1.27)" in told
    assert "counts as changed from 5 % on" in told
    assert "at most 1 %" in told


def test_inconclusive_cases_are_told_with_the_change_that_could_have_been_seen() -> None:
    unsure = [
        outcomes.case(name, outcomes.latency(verdict=Verdict.INCONCLUSIVE, visible=visible))
        for name, visible in (("a/torch", 0.08), ("b/torch", 0.13))
    ]
    text = FORMATS["markdown"](outcomes.outcome(*unsure))
    assert "**Nothing was shown to be worse, but 2 of 2 cases are inconclusive.**" in text
    assert "from a change of 8 % (a/torch, latency) to 13 % on (b/torch, latency)" in text
    assert "<summary>2 figures inconclusive</summary>" in text


@pytest.mark.parametrize(
    ("verdict", "said"),
    [(Verdict.SAME, "Nothing became worse in 1 case."),
     (Verdict.NOT_COMPARED, "Nothing was compared, so this gate cannot pass.")],
)  # fmt: skip
def test_a_gate_without_findings_says_so(verdict: Verdict, said: str) -> None:
    found = outcomes.case("a/torch", outcomes.latency(verdict=verdict))
    assert f"**{said}**" in FORMATS["markdown"](outcomes.outcome(found))


def test_only_changed_rows_are_not_folded() -> None:
    text = FORMATS["markdown"](outcomes.full())
    unfolded = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    (changed,) = table_rows(unfolded)
    assert len(changed) == 1 + len(tables.entries(outcomes.full(), *tables.CHANGED)) == 1 + 7
    assert "1.001×" in unfolded
    assert "dense/torch" not in unfolded
    assert [set(rows) for rows in table_rows(text)[1:4]] == [{7}] * 3


def test_a_step_in_the_last_digit_of_a_count_or_a_size_is_visible() -> None:
    grown = outcomes.exact("parameters", 2**20, 2**20 + 4, Verdict.REGRESSION)
    text = FORMATS["markdown"](outcomes.outcome(outcomes.case("a/torch", grown)))
    assert "1,048,576\u00a0bytes | 1,048,580\u00a0bytes" in text


def test_each_side_of_a_latency_has_its_interval_where_it_was_kept() -> None:
    found = outcomes.latency(
        1.5,
        Verdict.REGRESSION,
        base_interval=Interval(1.2e-3, 1.1e-3, 1.3e-3),
        head_interval=Interval(1.8e-3, 1.6e-3, 2e-3),
    )
    text = FORMATS["markdown"](outcomes.outcome(outcomes.case("a/torch", found)))
    told = text.replace("\u00a0", " ")
    assert "| 1.20 ms (1.10–1.30) | 1.80 ms (1.60–2.00) |" in told
    older = outcomes.outcome(outcomes.case("a/torch", outcomes.latency(1.5, Verdict.REGRESSION)))
    assert "| 1.20 ms | 1.80 ms |" in FORMATS["markdown"](older).replace("\u00a0", " ")


@pytest.mark.parametrize("hostile", outcomes.HOSTILE, ids=range(len(outcomes.HOSTILE)))
@pytest.mark.parametrize("name", ["markdown", "summary"])
def test_hostile_text_stays_text(name: str, hostile: str) -> None:
    text = FORMATS[name](outcomes.hostile(hostile))
    tame = FORMATS[name](outcomes.hostile("x"))
    text.encode()
    assert [token.type for token in PARSER.parse(text)] == [
        token.type for token in PARSER.parse(tame)
    ]
    assert table_rows(text) == table_rows(tame)
    for token in tokens(text):
        assert token.type not in ("link_open", "image", "s_open", "em_open", "heading_open")
        if token.type.startswith("html"):
            assert not OUR_HTML.sub("", token.content).strip()
    page = Text(PARSER.render(text))
    assert set(page.tags) <= {"p", "strong", "ul", "li", "blockquote", "table", "thead", "tbody",
                              "tr", "th", "td", "details", "summary", "pre", "code"}  # fmt: skip
    assert not LINKED.search("\n".join(page.prose))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    assert text.startswith(markdown.MARKER) == (name == "markdown")


@pytest.mark.parametrize("sign", ["`", "|", "\\", "<", "&", "é"])
def test_code_shows_every_sign(sign: str) -> None:
    text = f"a{sign}b {sign}{sign}"
    (inline,) = (token for token in PARSER.parse(markdown.code(text)) if token.type == "inline")
    shown = "".join(token.content for token in inline.children or () if "html" not in token.type)
    assert shown == text


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1), st.text())
def test_any_name_stays_in_its_cell(name: str, reason: str) -> None:
    cases = [replace(found, case=name, reason=reason) for found in outcomes.full().cases]
    text = FORMATS["markdown"](outcomes.outcome(*cases))
    assert {cells for table in table_rows(text)[:4] for cells in table} == {7}


def test_no_more_than_a_comment_or_a_summary_may_hold_and_what_is_left_out_is_counted() -> None:
    def case(index: int, verdict: Verdict) -> outcomes.CaseOutcome:
        return outcomes.case(f"🔥|{index}", outcomes.latency(1.5, verdict))

    for count in (200, 301, 6_000):
        verdicts = [Verdict.REGRESSION] * count + [Verdict.SAME] * count
        large = outcomes.outcome(*map(case, range(2 * count), verdicts))
        text = FORMATS["markdown"](large)
        assert len(text) <= len(text.encode()) < 65_536
        shown = sum(map(len, table_rows(text)[:2])) - 2
        left_out = sum(map(int, re.findall(r"^(\d+) more rows? would", text, re.MULTILINE)))
        assert shown + left_out == 2 * count
        assert text.count("<details>") == text.count("</details>")
        assert text.endswith("```\n")
    assert 1_000_000 < len(FORMATS["summary"](large).encode()) < 2**20


@pytest.mark.parametrize("render", [markdown.render, summary.render])
def test_long_texts_leave_room_for_the_verdict(render: Callable[[Outcome], str]) -> None:
    text = render(outcomes.hostile("@" * 200_000))
    assert len(text.encode()) < (65_536 if render is markdown.render else 2**20)
    assert "are worse" in text
    assert "is too long to be shown" in text


def test_the_command_can_be_pasted_and_starts_nothing_else() -> None:
    words = ["layerbench", "regress", "--base", "a; rm -rf ~", "--head", "$(id)`id`\n```\n| sh"]
    given = outcomes.outcome(command=shlex.join(words))
    (fence,) = (each for each in tokens(FORMATS["markdown"](given)) if each.type == "fence")
    assert shlex.split(fence.content) == words
    for foreign in ("curl x | sh", "layerbench regress 'x", "layerbench; rm -rf ~", ""):
        text = FORMATS["markdown"](outcomes.outcome(command=foreign))
        assert "the command that came with this is none of layerbench's" in text
        assert "```" not in text
    joined = FORMATS["markdown"](outcomes.outcome(command="layerbench regress --base x; id"))
    assert "layerbench regress --base 'x;' id" in joined


def test_a_machine_that_is_described_wrongly_is_unknown() -> None:
    text = "x"
    wrong = {
        "cpu": text,
        "memory_bytes": text,
        "gpus": 3,
        "versions": [1],
        "container": {"cpus": {}},
    }
    shown = FORMATS["markdown"](outcomes.outcome(machine=wrong))
    assert "| Processor | unknown processor |" in shown
    large = {"memory_bytes": 10**400, "cpu": {"max_mhz": True}}
    assert "| Memory | – |" in FORMATS["markdown"](outcomes.outcome(machine=large))
