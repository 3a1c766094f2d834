"""The parts of a prompt that a model is shown, and those that are kept from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.prompting.answers.protect import protect


@pytest.mark.parametrize(
    ("prompt", "text", "front", "back"),
    [
        ("a fox", "a fox", "", ""),
        ("a fox <lora:fox:0.8>", "a fox", "", " <lora:fox:0.8>"),
        ("<lora:fox:0.8> a fox", "a fox", "<lora:fox:0.8> ", ""),
        ("<lora:a:1>, <lyco:b:0.5>, a fox", "a fox", "<lora:a:1>, <lyco:b:0.5>, ", ""),
        ("a fox, <lora:a:1>, in snow", "a fox, in snow", "", ""),
        ("a fox <hypernet:h:1> in snow", "a fox in snow", "", ""),
        ("a fox <LoRA:My Fox v1.2:0.8:0.5>.", "a fox.", "", " <LoRA:My Fox v1.2:0.8:0.5>"),
        ("a fox, embedding:easy", "a fox", "", ", embedding:easy"),
        ("a fox, (embedding:easy:1.2), snow", "a fox, snow", "", ""),
        ("embedding:sub/easy.pt, a fox", "a fox", "embedding:sub/easy.pt, ", ""),
        ("<loha:x:1>", "", "<loha:x:1>", ""),
        ("🦊", "🦊", "", ""),
        ("<lora:fox:1> 🦊❄️", "🦊❄️", "<lora:fox:1> ", ""),
        ("!!! ~ $", "", "!!! ~ $", ""),
        ("a < b > c", "a < b > c", "", ""),
        ("a ${c}, ${c={red|blue}}, hat", "a ${c}, hat", "${c={red|blue}} ", ""),
        ("a ${c} hat, ${c=x}", "a ${c} hat", "${c=x} ", ""),
        ("${c=x}, a ${c} hat", "a ${c} hat", "${c=x}, ", ""),
        ("<lora:a:1> ${c=!x} ${d?=y}a ${c}", "a ${c}", "<lora:a:1> ${c=!x} ${d?=y}", ""),
        ("<think> about <b>", "<think> about <b>", "", ""),
        ("# my notes\na fox // red?", "a fox", "# my notes\n", " // red?"),
        ("a fox /* or an owl */ in snow", "a fox in snow", "", ""),
        ("a fox --ar 3:2 --v 6", "a fox", "", " --ar 3:2 --v 6"),
        ("a fox in snow MASK(0 0.5) FILL()", "a fox in snow", "", " MASK(0 0.5) FILL()"),
        ("[<lora:a:1>::0.5] a fox", "a fox", "[<lora:a:1>::0.5] ", ""),
        ("a (red fox:1.2) and ((snow))", "a red fox and snow", "", ""),
        (
            "a fox, [blurry], {{sharp}}, 1.3::soft fur::, tail++",
            "a fox, blurry, sharp, soft fur, tail",
            "",
            "",
        ),
        ("a {red|\n blue} fox", "a {red| blue} fox", "", ""),
    ],
)
def test_what_a_model_is_shown(prompt, text, front, back):
    (region,) = protect(prompt).regions
    assert (protect(prompt).text, region.front, region.back) == (text, front, back)


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("a (red fox:1.2) in snow", ("red fox",)),
        ("((red fox:1.2) in snow:1.1)", ("red fox in snow",)),
        ("(a (b (c:1.1) d:1.2) e:1.3), f", ("a b c d e",)),
        ("at 12:30, 16:9", ()),
        ("a __colour__ fox", ("__colour__",)),
        ("__a/*__ and __cat____dog__", ("__a/*__", "__cat__", "__dog__")),
        ("{2$$, $$a|b|c} {0.5::x|y}", ("{2$$, $$a|b|c}", "{0.5::x|y}")),
        ("{a|__b__|(c:1.2)}", ("{a|__b__|(c:1.2)}",)),
        ("(a __b__ {c|d}:1.2)", ("a __b__ {c|d}",)),
        ("{}, snake_case__name", ()),
        ("(a:1.2) and (a:1.2)", ("a",)),
        ("__two words__, __who(name=Ann, age=8)__", ("__two words__", "__who(name=Ann, age=8)__")),
        ("one __ two, three __ four", ()),
        ("a ${hat} and ${coat: {a|b}} on %{... $$ fox}", ("${hat}", "${coat: {a|b}}", "%{... $$ fox}")),
        ("a {{ choice('fox', 'owl') }}", ("{{ choice('fox', 'owl') }}",)),
        ("{% for a in b %}\n{{ a }}\n{% endfor %}", ("{% for a in b %}", "{{ a }}", "{% endfor %}")),
        (r"a fox \(vulpes\)", (r"\(vulpes\)",)),
        ("unbalanced ((fox:1.2", ()),
        ("unbalanced {a|b", ()),
    ],
)
def test_what_an_answer_should_hold(prompt, kept):
    assert protect(prompt).kept == kept


@pytest.mark.parametrize(
    ("prompt", "parts", "separators"),
    [
        ("a fox BREAK a cat", ("a fox", "a cat"), ("BREAK",)),
        ("a fox\nBREAK\nBREAK <lora:a:1>", ("a fox",), ("BREAK", "BREAK")),
        ("a fox AND a cat :0.5 AND a dog:1.2", ("a fox", "a cat", "a dog"), ("AND", "AND")),
        ("a fox :0.5 BREAK a cat at 12:30", ("a fox", "a cat at 12:30"), ("BREAK",)),
        ("FISH AND CHIPS", ("FISH AND CHIPS",), ()),
        ('a sign "FISH AND CHIPS"', ('a sign "FISH AND CHIPS"',), ()),
        ("a face <segment:face> freckles", ("a face", "freckles"), ("<segment:face>",)),
        ("(a fox BREAK a cat:1.2)", ("a fox a cat",), ()),
    ],
)
def test_regions(prompt, parts, separators):
    assert (protect(prompt).parts, protect(prompt).separators) == (parts, separators)


@given(st.text(alphabet='ab(){}[]<>:|_$\\.1 ,#/+-\n"BREAK', max_size=60))
def test_any_text_is_protected_without_loss(prompt):
    protected = protect(prompt)
    whole = ""
    for region, separator in zip(protected.regions, [*protected.separators, ""], strict=True):
        words = "".join(item if isinstance(item, str) else item.source for item in region.items)
        whole += region.front + words + region.back + separator
    assert sorted(whole.replace(" ", "")) == sorted(prompt.replace(" ", ""))
