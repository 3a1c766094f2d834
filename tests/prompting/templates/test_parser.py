from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.prompting.templates.parser import (
    MAX_BRACE_DEPTH,
    Nodes,
    Option,
    Variable,
    Variant,
    literal,
    literal_value,
    parse,
    references,
    split_weight,
)


def plain(*texts: str) -> Nodes:
    return (Variant(tuple(Option((text,) if text else ()) for text in texts)),)


def picked(least: int, most: int | None, joiner: str, *texts: str) -> Nodes:
    return (Variant(tuple(Option((text,)) for text in texts), least, most, joiner),)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("__cat__", ["cat"]),
        ("a __cat__, b", ["cat"]),
        ("__cat____dog__", ["cat", "dog"]),
        ("__a_b__", ["a_b"]),
        ("__sub/name__", ["sub/name"]),
        ("__a/*__ __**/b__ __a*__", ["a/*", "**/b", "a*"]),
        ("__hair color__ __sd-1.5__", ["hair color", "sd-1.5"]),
        ("__50_word_description__", ["50_word_description"]),
        ("__Größe__ __色__ __हिन्दी__", ["Größe", "色", "हिन्दी"]),
        ("___a___", ["a"]),
        ("un__adj__able", ["adj"]),
        ("__a __b__", ["b"]),
        ("__“__a__", ["a"]),
        ("(__a__:1.2) [__b__]", ["a", "b"]),
        ("{x|{y|__a__}} {2$$__b__}", ["a", "b"]),
        ("__../x__ __/etc/x__", ["../x", "/etc/x"]),
        ("<lora:__style__:0.8> <lora:x:__weight__>", ["style", "weight"]),
        ("embedding:__style__ embedding:__style__:1.2", ["style", "style"]),
        ("{2$$__a__|__b__}", ["a", "b"]),
        ('{"color": "__color__"}', ["color"]),
    ],
)
def test_variables_that_are_seen(text: str, names: list[str]) -> None:
    assert list(references(parse(text).nodes)) == names


@pytest.mark.parametrize(
    "text",
    [
        "<lora:my__thing__x:0.8>",
        "<lora:my__thing:0.8> <lora:other__thing:1>",
        "<hypernet:a__b__c:1>",
        "embedding:a__b__c, more",
        "embedding:sub/a__b__c",
        "__ a __",
        "____",
        "_a_",
        "__a_",
        "__a\nb__",
        "__a;b__",
        "fill in: ________",
        "__...__",
        "__a“b__",
        "(word:1.2) [a|b] [a:b:0.5] (a|b)",
        "a | b",
        "{a}",
        "{}",
        "{0.5::a}",
        '{"a": 1}',
        '{"a": "x|y", "b": [1, {"c": "::$$|"}]}',
        r"\(series\), C:\folder, \n \\",
        "100% a::b $$ 5$",
        "line one\r\nline two\r",
    ],
)
def test_text_that_stays_as_it_is(text: str) -> None:
    assert parse(text).nodes == (text,)
    assert parse(text).warnings == ()


def test_a_brace_without_options_still_holds_syntax() -> None:
    assert parse('{"a": {"b": "{x|y}"}, "c": "__z__"}').nodes == (
        '{"a": {"b": "',
        *plain("x", "y"),
        '"}, "c": "',
        Variable("z"),
        '"}',
    )


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("{a|b}", plain("a", "b")),
        ("{ a |b }", plain(" a ", "b ")),
        ("{|a}", plain("", "a")),
        ("{a|}", plain("a", "")),
        ("{|}", plain("", "")),
        ("{2$$a|b|c}", picked(2, 2, ", ", "a", "b", "c")),
        ("{2$$ a | b }", picked(2, 2, ", ", "a", "b")),
        ("{1-3$$ and $$a|b|c}", picked(1, 3, " and ", "a", "b", "c")),
        ("{-2$$a|b|c}", picked(1, 2, ", ", "a", "b", "c")),
        ("{1-$$a|b|c}", picked(1, None, ", ", "a", "b", "c")),
        ("{2$$ | $$a|b}", picked(2, 2, " | ", "a", "b")),
        ("{2$$$$a|b}", picked(2, 2, "", "a", "b")),
        ("{1$$a}", picked(1, 1, ", ", "a")),
        ("{0.5::a|2::b|c}", (Variant((Option(("a",), 0.5), Option(("b",), 2.0), Option(("c",)))),)),
        ("{.5::a| 3.::b}", (Variant((Option(("a",), 0.5), Option(("b",), 3.0))),)),
        (r"{a\|b|c\}}", plain("a|b", "c}")),
        ("{<lora:a|b:1>|c}", plain("<lora:a|b:1>", "c")),
        ("<lora:{a|b}:1>", ("<lora:", *plain("a", "b"), ":1>")),
        ("${a|b}", ("$", *plain("a", "b"))),
        (r"\{a\|b\} \__x\_\_", ("{a|b} __x__",)),
        (r"\\{a|b}", (r"\{a|b}",)),
    ],
)
def test_variants(text: str, nodes: Nodes) -> None:
    assert parse(text).nodes == nodes


def test_variants_nest() -> None:
    (outer,) = parse("{a|b {c|__d__}}").nodes
    assert isinstance(outer, Variant)
    assert outer.options[1].nodes == ("b ", Variant((Option(("c",)), Option((Variable("d"),)))))


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("a { b", "character 3 has no matching brace"),
        ("a } b", "`}` at character 3"),
        ("{x$$a|b}", "no number before its `$$`"),
        ("{x$$__a__|{b|c}}", "no number before its `$$`"),
        ("{9999999$$a|b}", "no number"),
        ("{2$$}", "no options"),
    ],
)
def test_what_nearly_is_syntax_stays_with_a_warning(text: str, warning: str) -> None:
    parsed = parse(text)
    assert parsed.nodes == (text,)
    assert len(parsed.warnings) == 1
    assert warning in parsed.warnings[0]


def test_a_lone_brace_spoils_no_other() -> None:
    assert parse("{a {b|c}").nodes == ("{a ", *plain("b", "c"))
    assert parse("{b|c} d}").nodes == (*plain("b", "c"), " d}")


def test_a_range_the_wrong_way_round_is_turned_with_a_warning() -> None:
    parsed = parse("{3-1$$a|b}")
    assert parsed.nodes == picked(1, 3, ", ", "a", "b")
    assert "1 to 3" in parsed.warnings[0]


def test_braces_nested_past_the_limit_are_text() -> None:
    depth = MAX_BRACE_DEPTH + 20
    parsed = parse("{" * depth + "x" + "}" * depth)
    assert parsed.nodes == ("{" * depth + "x" + "}" * depth,)
    assert "nested" in parsed.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000,
        "}" * 50_000,
        "{" * 50_000 + "}" * 50_000,
        "{a|" * 50_000,
        "__a" * 50_000,
        "__a(" * 50_000,
        "{" + " " * 50_000 + "|",
        "{1" + " " * 50_000 + "-",
        '{"' * 50_000,
        "<a:" * 50_000,
        "$" * 50_000,
        "{$$" * 20_000,
        "embedding:" * 20_000,
        "{0." * 20_000,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_text_takes_no_time(text: str) -> None:
    started = time.monotonic()
    parse(text)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("value", "weight", "text"),
    [
        ("fox", 1.0, "fox"),
        ("0.5::fox", 0.5, "fox"),
        ("2:: red fox", 2.0, "red fox"),
        (".25::fox", 0.25, "fox"),
        ("fox::2", 1.0, "fox::2"),
        ("-1::fox", 1.0, "-1::fox"),
        ("1::0.5::fox", 1.0, "0.5::fox"),
    ],
)
def test_weights_of_values(value: str, weight: float, text: str) -> None:
    assert split_weight(value) == (weight, text)


SYNTAX = st.text(st.sampled_from('_a{}|\\$:02-. <>\n"/*é')) | st.text()


@given(SYNTAX)
def test_literal_text_comes_out_as_it_is(text: str) -> None:
    assert parse(literal(text)).nodes == ((text,) if text else ())


@given(SYNTAX.map(str.strip))
def test_a_literal_value_comes_out_as_it_is(text: str) -> None:
    weight, line = split_weight(literal_value(text))
    assert weight == 1.0
    assert parse(line).nodes == ((text,) if text else ())


@given(SYNTAX)
def test_any_text_can_be_parsed(text: str) -> None:
    parse(text)


@given(st.text(st.characters(exclude_characters="_{}\\")))
def test_text_without_syntax_is_one_node(text: str) -> None:
    assert parse(text).nodes == ((text,) if text else ())
