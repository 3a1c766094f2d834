"""The syntax of prompts: what is read as a piece, of which kind, and what is left as words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.prompting.syntax import Kind, read


@pytest.mark.parametrize(
    ("kind", "pieces"),
    [
        (
            "emphasis",
            [
                "((x))", "(x)", "[x]", "[[deep x]]", "{{x}}", "{{{x}}}", "{x y}", "1.3::red fox::",
                "-1::x y::",
                "x++", "x--", "(a b)++", "(a b)-", "(x)1.2", "(big hat)0.8", "(x:1.2)", "(x: -0.5 )",
                "(x:.7)",
                "((a:1.1) b:1.2)", r"(fox \(vulpes\):1.2)", "(a {b|c}:1.2)", "(ratio 16:9 look:1.2)",
                "(a __b__:1.2)", "(fox, embedding:x:1.2)", "(红狐:1.2)",
            ],
        ),
        (
            "schedule",
            [
                "[a:b:0.5]", "[a::0.5]", "[:b:0.3]", "[x:0.3]", "[a|b]", "[a|b|c]", "[a:b:12]",
                "[a:[b:c:0.2]:0.6]",
                "[SEQ:a:b:0.5]", "[a:b:0.1,0.4]", "[red:__b__]", "[<lora:a:1>fox:<lora:b:1>owl:0.5]",
            ],
        ),
        (
            "choice",
            [
                "{a|b}", "{a|\n b|\n c\n}", "{2$$a|b}", "{1-2$$ and $$a|b}", "{0.5::a|2::b}", "{a|{b|c} d}",
                "{2$$__x__}", "3#{a|b}", "{a|(b:1.2)|[c:d:0.5]}", "{@a|b}", "{~a|b}",
            ],
        ),
        (
            "variable",
            [
                "__x__", "__a/b__", "__a/*__", "__two words__", "__who(name=Ann, age=8)__", "3#__x__",
                "2-3#__x__",
                "__@x__", "__~x__", "__a, b & c__", "__цвет__",
            ],
        ),
        (
            "command",
            [
                "${x}", "${x=a}", "${x=!{a|b}}", "${x:default}", "%{... $$ fox}", "%date%",
                "%date:yyyy-MM-dd%",
                "%KSampler.seed%", "{{ choice('a', 'b') }}", "{% if a %}", "<random:red|blue>",
                "<wildcard:a>",
                "cat.swap(dog)", '("a", "b").blend(0.7, 0.3)', '("a", "b").and()',
            ],
        ),
        ("escape", [r"\(fate\)", r"\(fate/stay night\)", r"\[x\]", r"\{x\}"]),
        (
            "tag",
            [
                "<lora:a:1>", "<lora:My Fox v1.2:0.8:0.5>", "<lyco:a:1>", "<hypernet:a:1>", "<wlr:a:1>",
                "<dora:a>",
                "<embed:a>", "<embedding:a:1.2>", "<anything-else:a b>", "<param[steps]:20>",
                "<lora:__a__:1>",
                "embedding:easy", "embedding:sub/easy.pt", "(embedding:easy:1.2)", "MASK(0 0.5)", "FILL()",
                "AREA(0 1, 0 1)",
                "STYLE(A1111, mean)", "FOO(1, 2)", "[<lora:a:1>::0.5]", "{<lora:a:1>|<lora:b:1>}",
                "--ar 3:2", "--v 6",
                "(<lora:a:1>)",
            ],
        ),
        ("comment", ["// x", "/* x\ny */", "{# x #}", "# x", "## x", "#x"]),
        (
            "separator",
            [
                "BREAK", "AND", "AND_SALT", "ADDCOL", "ADDROW", "ADDCOMM", "ADDBASE", "[SEP]",
                "COUPLE(0 0.5)", "COUPLE",
                "AVG(0.5)", "<segment:face>", "<segment:face,0.6,0.5>", "<region:0,0,0.5,1>",
                "<object:0,0,1,1>", "<break>",
                "<base>", "::2", "::-0.5",
            ],
        ),
    ],
)  # fmt: skip
def test_kinds(kind, pieces):
    for piece in pieces:
        ahead = "" if kind == "comment" else "word " if piece[0] != ":" else "word"
        found = read(f"{ahead}{piece}")
        assert [(one.kind, one.source) for one in found] == [(kind, piece)], piece
        after = "\nand" if kind == "comment" else ", and"
        assert [one.source for one in read(f"{ahead}{piece}{after}")] == [piece]


@pytest.mark.parametrize(
    "words",
    [
        "a fox", "at 12:30", "16:9", "(16:9)", "(12:30)", "a $ 5% b", "50% of 30% here",
        "one __ two, three __ four",
        "snake_case__name", "https://a.b/c", "and//or", "#ff0000 hat", "#fff", "a #1 fan",
        "a < b > c", "<think> <b>",
        "<https://a.b>", ":( and :) there", "unbalanced ((x:1.2", "{a|b", "[a:b:0.5", "{}", "()", "[1]",
        "[12]", "C+ grade, 18+",
        "red -- blue", "(a man who was very tall and old)", "FISH AND CHIPS", 'a sign "open [24h] (now)"',
        "“(x:1.2)”",
        '{"subject": "a [red] fox", "list": ["a", "b"]}', "AND", "std::string", "break and and",
        "e.g. x-ray", "[a](b c d e f)",
        "Addcol", "NASA (agency of the United States)",
    ],
)  # fmt: skip
def test_what_stays_words(words):
    assert [piece.source for piece in read(words) if piece.kind != "emphasis" or ":" in piece.source] == []
    assert [piece.source for piece in read(words) if len(words.split()) < 3] == []


def test_words_of_an_emphasis_are_plain():
    words = {
        "((red fox:1.2) in [deep snow]:1.1)": "red fox in deep snow",
        "(a {{b}} c++:1.2)": "a b c",
        "1.3::red ((fox))::": "red fox",
        "(fox, embedding:x, snow:1.2)": "fox, snow",
        "(a {b|c} __d__:1.2)": "a {b|c} __d__",
    }
    assert {source: read(source)[0].words for source in words} == words


def test_an_option_with_words_lasts_until_the_next():
    assert [piece.source for piece in read("a fox --no cats, dogs --v 6")] == ["--no cats, dogs", "--v 6"]


def test_the_documentation_names_what_is_read():
    page = (Path(__file__).parents[2] / "docs" / "syntax.md").read_text("utf-8").partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:3] for line in page.splitlines() if line.startswith("| ")]
    examples = {kind.strip(): re.findall(r"`([^`]+)`", cell.replace(r"\|", "|")) for kind, cell in rows[1:]}
    assert set(examples) == set(get_args(Kind))
    for kind, pieces in examples.items():
        for piece in pieces:
            ahead = "\n" if kind == "comment" else "" if piece.startswith("::") else " "
            if piece != "<word:...>":
                assert [(one.kind, one.source) for one in read(f"word{ahead}{piece}")] == [(kind, piece)]


@given(st.text(alphabet='ab(){}[]<>:|_$%\\.1 ,#/*+-\n"BREAKND', max_size=80))
def test_pieces_are_in_order_and_are_what_stands_there(text):
    place = 0
    for piece in read(text):
        assert place <= piece.start < piece.end <= len(text)
        assert text[piece.start : piece.end] == piece.source
        place = piece.end


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2000 + "a b c d e f" + ")" * 2000, "[(a b c d e " * 400 + "x" + ")]" * 400, "<a:" * 10_000,
        "a#" * 10_000,
        "\\(" * 10_000, "a-" * 10_000, "{" * 5000 + "|" + "}" * 5000, "__a" * 10_000,
        "(a b c d e" * 30 + ")" * 30,
        '"' * 50_000, "1::" * 10_000, "/*" * 10_000, "([{<a:" * 5000,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_no_text_takes_long_or_goes_too_deep(text):
    read(text)
