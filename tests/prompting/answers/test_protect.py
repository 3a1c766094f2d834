"""Survival of the user's own tags, weights and variables, whatever the model made of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.prompting.answers.protect import TAKEN_OUT, protect, restore, without_weights


@pytest.mark.parametrize(
    ("prompt", "text", "before", "after"),
    [
        ("a fox", "a fox", (), ()),
        ("a fox <lora:fox:0.8>", "a fox", (), ("<lora:fox:0.8>",)),
        ("<lora:fox:0.8> a fox", "a fox", ("<lora:fox:0.8>",), ()),
        ("<lora:a:1>, <lyco:b:0.5>, a fox", "a fox", ("<lora:a:1>", "<lyco:b:0.5>"), ()),
        ("a fox, <lora:a:1>, in snow", "a fox, in snow", (), ("<lora:a:1>",)),
        ("a fox <hypernet:h:1> in snow", "a fox in snow", (), ("<hypernet:h:1>",)),
        ("a fox <LoRA:My Fox v1.2:0.8:0.5>.", "a fox.", (), ("<LoRA:My Fox v1.2:0.8:0.5>",)),
        ("a fox, embedding:easy", "a fox", (), ("embedding:easy",)),
        ("a fox, (embedding:easy:1.2), snow", "a fox, snow", (), ("(embedding:easy:1.2)",)),
        ("embedding:sub/easy.pt, a fox", "a fox", ("embedding:sub/easy.pt",), ()),
        ("<loha:x:1>", "", ("<loha:x:1>",), ()),
        ("a < b > c", "a < b > c", (), ()),
        ("a ${c}, ${c={red|blue}}, hat", "a ${c}, hat", ("${c={red|blue}}",), ()),
        ("a fox, ${c={red|blue}} ${c} hat", "a fox, ${c} hat", ("${c={red|blue}}",), ()),
        ("a ${c} hat, ${c=x}", "a ${c} hat", ("${c=x}",), ()),
        ("${c=x}, a ${c} hat", "a ${c} hat", ("${c=x}",), ()),
        ("<lora:a:1> ${c=!x} ${d?=y}a ${c}", "a ${c}", ("${c=!x}", "${d?=y}", "<lora:a:1>"), ()),
        ("<think> about <b>", "<think> about <b>", (), ()),
    ],
)
def test_what_belongs_anywhere_is_taken_out(prompt, text, before, after):
    protected = protect(prompt)
    assert (protected.text, protected.before, protected.after) == (text, before, after)


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("a (red fox:1.2) in snow", ("(red fox:1.2)",)),
        ("a (red fox: 1.2 )", ("(red fox: 1.2 )",)),
        ("a (fox:-0.5), (owl:.7)", ("(fox:-0.5)", "(owl:.7)")),
        (r"a (fox \(vulpes\):1.2)", (r"(fox \(vulpes\):1.2)",)),
        (r"fox \(vulpes\), a fox \(1:2\)", ()),
        ("((red fox:1.2) in snow:1.1)", ("((red fox:1.2) in snow:1.1)",)),
        ("(a (b (c:1.1) d:1.2) e:1.3), f", ("(a (b (c:1.1) d:1.2) e:1.3)",)),
        ("((red fox:1.2) in snow)", ("(red fox:1.2)",)),
        ("(no weight), [none either], ((fox))", ()),
        ("at 12:30 (in the evening)", ()),
        ("(ratio 16:9 look:1.2)", ("(ratio 16:9 look:1.2)",)),
        ("a __colour__ fox", ("__colour__",)),
        ("a __animals/red_fox__ in __place__", ("__animals/red_fox__", "__place__")),
        ("__a/*__ and __cat____dog__", ("__a/*__", "__cat__", "__dog__")),
        ("a {red|blue} fox", ("{red|blue}",)),
        ("{2$$, $$a|b|c} {0.5::x|y}", ("{2$$, $$a|b|c}", "{0.5::x|y}")),
        ("{a|{b|c} d} fox", ("{a|{b|c} d}",)),
        ("{a|__b__|(c:1.2)}", ("{a|__b__|(c:1.2)}",)),
        ("(a __b__ {c|d}:1.2)", ("(a __b__ {c|d}:1.2)",)),
        ("{not a choice}, {}, snake_case__name", ()),
        ("(a:1.2) and (a:1.2)", ("(a:1.2)",)),
        ("__two words__, __who(name=Ann, age=8)__", ("__two words__", "__who(name=Ann, age=8)__")),
        ("one __ two, three __ four", ()),
        ("a ${hat} and ${coat: {a|b}} on %{... $$ fox}", ("${hat}", "${coat: {a|b}}", "%{... $$ fox}")),
        ("a {{ choice('fox', 'owl') }}", ("{{ choice('fox', 'owl') }}",)),
        ("{% for a in b %}\n{{ a }}\n{% endfor %}", ("{% for a in b %}", "{{ a }}", "{% endfor %}")),
        ("a $ {b} 5% {c}", ()),
        ("unbalanced ((fox:1.2", ()),
        ("unbalanced ((fox:1.2)", ("(fox:1.2)",)),
        ("unbalanced {a|b", ()),
    ],
)
def test_what_stays_in_place_is_noted(prompt, kept):
    assert protect(prompt).kept == kept


@pytest.mark.parametrize(
    ("prompt", "answer", "whole"),
    [
        ("<lora:a:1> a fox", "A red fox.", "<lora:a:1> A red fox."),
        ("a fox <lora:a:1>", "A red fox.", "A red fox. <lora:a:1>"),
        ("a fox, embedding:easy", "A red fox.", "A red fox. embedding:easy"),
        ("a fox", "A fox <lora:made_up:1>, embedding:bad, in snow", "A fox, in snow"),
        ("<lora:a:1> a fox", "<lora:a:1> a red fox", "<lora:a:1> a red fox"),
        ("a fox <lora:a:1>", "a red fox, <lora:a:1>, <lora:b:1>", "a red fox <lora:a:1>"),
        ("a (red fox:1.2)", "A red fox in snow.", "A (red fox:1.2) in snow."),
        ("a (red fox:1.2)", "A Red Fox in snow.", "A (red fox:1.2) in snow."),
        ("a (red fox:1.2)", "A (red fox) in snow.", "A (red fox:1.2) in snow."),
        ("a (red fox:1.2)", "A (red fox:1.4) in snow.", "A (red fox:1.2) in snow."),
        ("a (red fox:1.2)", "A (red fox:1.2) in snow.", "A (red fox:1.2) in snow."),
        ("a (fox:1.2)", "Two foxes.", "Two foxes, (fox:1.2)."),
        ("a __c__ fox", "A fox in snow", "A fox in snow, __c__"),
        ("a {red|blue} fox", "A {red|blue} fox in snow", "A {red|blue} fox in snow"),
        ("__c__", "", "__c__"),
        ("(fox:1.2), {fox|owl}", "A {fox|owl}.", "A {fox|owl}, (fox:1.2)."),
        ("(red fox:1.2), (fox:1.1)", "A red fox.", "A (red fox:1.2), (fox:1.1)."),
        ("a (fox:1.2)", "A den (fox, snow).", "A den ((fox:1.2), snow)."),
        ("<lora:__style__:1> a fox", "A red fox.", "<lora:__style__:1> A red fox."),
        ("(fox, embedding:x:1.2)", "A (fox, embedding:x:1.2), embedding:y.", "A (fox, embedding:x:1.2)."),
        ("{<lora:a:1>|<lora:b:1>} fox", "A fox.", "A fox, {<lora:a:1>|<lora:b:1>}."),
        (
            "((red fox:1.2) in snow:1.1)",
            "A red fox in snow.",
            "A ((red fox:1.2) in snow:1.1).",
        ),
    ],
)
def test_all_of_it_comes_back(prompt, answer, whole):
    assert restore(answer, protect(prompt)) == whole


PIECES = st.sampled_from(
    [
        "<lora:fox:0.8>", "<lyco:b c:1>", "embedding:easy", "(embedding:neg:1.2)", "(red fox:1.2)",
        "__a/b__", "{x|y}", "((a:1.1) b:1.2)", r"(\(c\):0.9)",
    ]
)  # fmt: skip
WORDS = st.sampled_from(["a fox", "snow", "in winter", "at night", "RED", "oil on canvas"])
PROMPTS = st.lists(PIECES | WORDS, min_size=1, max_size=6, unique=True)
ANSWERS = st.lists(WORDS | PIECES, max_size=6, unique=True)


@given(PROMPTS, st.sampled_from([" ", ", ", "\n"]), ANSWERS)
def test_every_piece_of_the_user_is_there_exactly_once(parts, joint, said):
    whole = restore(", ".join(said), protect(joint.join(parts)))
    for part in parts:
        if re.match(r"[<({_]|embedding:", part):
            assert whole.count(part) == 1, whole
    for part in said:
        if TAKEN_OUT.match(part) and part not in parts:
            assert part not in whole


@given(st.text(alphabet="ab(){}[]<>:|_$\\.1 ,", max_size=40))
def test_any_text_can_be_protected_and_restored(prompt):
    protected = protect(prompt)
    whole = restore(protected.text, protected)
    for piece in protected.kept:
        assert piece in whole
    assert sorted(re.sub(r"[\s,]", "", whole)) == sorted(re.sub(r"[\s,]", "", prompt))


def test_weights_that_a_model_made_up_become_words():
    protected = protect("a (red fox:1.2), snow")
    said = "a (red fox:1.2), (snow:1.3), ((ice:1.1) and frost:1.4)"
    assert without_weights(said, protected) == "a (red fox:1.2), snow, ice and frost"
    assert without_weights(r"a fox \(vulpes\), (16:9 look)", protected) == r"a fox \(vulpes\), (16:9 look)"
