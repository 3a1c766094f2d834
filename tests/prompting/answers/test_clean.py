"""Removal of what models say around an answer; the answer itself stays to the letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.llm_backends.errors import EmptyAnswer, Refused
from quillwork.prompting.answers.clean import one_paragraph, read_answer
from quillwork.prompting.answers.no_prompt.refusal import is_refusal

FOX = "A red fox in fresh snow, low winter sun."

WRAPPED = [
    # thinking
    f"<think>The user wants a fox.</think>{FOX}",
    f"<think>\nline one\n\nline two\n</think>\n\n{FOX}",
    f"<THINKING>hm</THINKING> {FOX}",
    f"<reasoning>hm</reasoning><thought>hm</thought>\n{FOX}",
    f"{FOX}\n<think>was that good?",
    # fences
    f"```\n{FOX}\n```",
    f"```text\n{FOX}\n```",
    f"```markdown\n{FOX}\n```\n",
    f"Here is your prompt:\n\n```\n{FOX}\n```\n\nLet me know if you want changes!",
    f"```\n{FOX}",
    f"```{FOX}```",
    # lead-ins
    f"Here is your prompt: {FOX}",
    f"Here's your enhanced prompt:\n\n{FOX}",
    f"Here’s the prompt:\n{FOX}",
    f"Sure! Here is the enhanced prompt:\n\n{FOX}",
    f"Sure, here's a more detailed version of your prompt: {FOX}",
    f"Certainly! Here's an image prompt:\n{FOX}",
    f"Of course! Below is the prompt for Flux:\n\n{FOX}",
    f"Okay, here is the revised prompt:\n{FOX}",
    f"Absolutely! Here are the details:\n{FOX}",
    f"Sure!\n\n{FOX}",
    f"Of course! I'd be happy to help.\n\n{FOX}",
    f"Prompt: {FOX}",
    f"**Prompt:** {FOX}",
    f"**Enhanced Prompt**: {FOX}",
    f"Final prompt:\n{FOX}",
    f"Improved image prompt: {FOX}",
    f"### Enhanced Prompt\n\n{FOX}",
    f"## Prompt:\n{FOX}",
    f"Here is the enhanced prompt:\n\n**Prompt:** {FOX}",
    f"Positive prompt: {FOX}",
    f"Prompt 1: {FOX}",
    f"This is the enhanced prompt for the image: {FOX}",
    f"Voici le prompt amélioré :\n\n{FOX}",
    f"Bien sûr ! Voici votre prompt : {FOX}",
    f"Hier ist der verbesserte Prompt:\n{FOX}",
    f"Gerne! Hier ist dein Prompt: {FOX}",
    f"Aquí está el prompt mejorado:\n{FOX}",
    f"¡Claro! Aquí tienes el prompt: {FOX}",
    f"Ecco il prompt migliorato: {FOX}",
    f"Aqui está o prompt: {FOX}",
    f"Вот улучшенный промпт:\n{FOX}",
    f"以下是优化后的提示词：\n{FOX}",
    f"好的，以下是提示词：{FOX}",
    f"提示词：{FOX}",
    f"こちらがプロンプトです：\n{FOX}",
    f"プロンプト：{FOX}",
    # quotes
    f'"{FOX}"',
    f"'{FOX}'",
    f"“{FOX}”",
    f"«{FOX}»",
    f"「{FOX}」",
    f"`{FOX}`",
    f'Prompt: "{FOX}"',
    f'Here is your prompt:\n"{FOX}"',
    f'"{FOX}".',
    # notes at the end
    f"{FOX}\n\nLet me know if you'd like any changes.",
    f"{FOX}\n\nNote: I kept the fox red.",
    f"{FOX}\n\n(Note: the light is my own idea.)",
    f"{FOX}\n\nThis prompt emphasises the light and the snow.",
    f"{FOX}\n\nI hope this helps!",
    f"{FOX}\n\nFeel free to ask for more.\n\nHave fun!",
    f"{FOX}\n\n**Explanation:** the light is low.",
    f"{FOX}\n\n---\n\nWould you like another version?",
    # space
    f"\n\n  {FOX}  \n",
]

PROMPTS = [
    "Great white shark under a pier, murky green water",
    "Here comes the sun, retro album cover",
    "Here is a quiet village: stone houses, smoke, a dog asleep on the steps",
    "I am the walrus poster, psychedelic lettering",
    "I can't breathe, a protest mural on a brick wall",
    "I can't get no satisfaction, vinyl sleeve of 1965",
    "I won't back down, neon sign over a bar",
    "I will not be tamed, a mustang in dust",
    "As an AI awakens, server racks glow like a cathedral",
    "Sorry! board game box art, 1970s",
    "Sorry, we're closed: an enamel sign in a shop window",
    "I'm sorry greeting card, wilted tulips, soft pastel",
    "Unfortunately placed billboard hiding the sunset",
    "Sure-footed goat on a cliff",
    "Okay Corral, dusty street at noon",
    "Of course horses, racing at dusk",
    "Certainly not a morning person: tousled hair, coffee, grey light",
    "Prompt delivery rider in the rain",
    "Description of a dream: a whale above rooftops",
    "Version control, a wall of sticky notes",
    "This is the end of the road: a lighthouse, gulls, a rusted gate",
    "This is an advertisement for soap, 1920s lithograph",
    "Below is the valley, above are the clouds, a hiker between",
    "Image of a fox: red fur, white snow",
    'A sign that reads "OPEN" beside one that reads "CLOSED"',
    '"Open" and "Closed"',
    "'90s camcorder footage of a birthday party",
    "A thinker in bronze, <b>bold</b> shadows",
    "Negative space, a lone tree, minimalism",
    "A poster:\n\nTop: a fox\nBottom: snow",
    "我不能没有你，情歌封面",
    "A note: handwritten, pinned to a door",
    "5 foxes, 3 owls",
    "Ein Fuchs im Schnee: Abendlicht, Nebel",
    "[[red fox]], snow, dawn",
    "{{red fox}}, snow, dawn",
    "[red fox:blue fox:0.5], snow",
    "{red|blue} fox, snow",
    "(fox:1.3), {{snow}}, [dawn]",
    "{fox: in snow, dawn}",
    '["Open" sign] over a bar, night',
    '{"Open" sign}, snow',
]

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "I am sorry, I cannot create this image.",
    "I'm really sorry, but I'm unable to generate that kind of content.",
    "I'm afraid I can't do that.",
    "I'm sorry.",
    "Sorry, but I can't write that.",
    "Sorry, I won't be able to help with this request.",
    "Unfortunately, I cannot provide a prompt of this kind.",
    "My apologies, but I am not able to fulfil this request.",
    "I can't help with that.",
    "I cannot create content that depicts real people in that way.",
    "I won't write that.",
    "I will not generate this kind of image.",
    "I must decline this request.",
    "I'm not able to provide that.",
    "I'm unable to assist with creating this prompt.",
    "I don't feel comfortable writing that.",
    "As an AI, I cannot produce this.",
    "As a language model I am not able to describe that.",
    "**I'm sorry, but I can't help with that.**",
    '"I can\'t assist with that."',
    "<think>not allowed</think>I can't assist with that.",
    "```\nI'm sorry, but I can't help with that.\n```",
    "抱歉，我无法满足您的请求。",
    "很抱歉，我不能生成这样的内容。",
    "对不起，我无法帮助您。",
    "我无法提供这类内容。",
    "申し訳ありませんが、そのリクエストにはお応えできません。",
    "죄송하지만 도와드릴 수 없습니다.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Tut mir leid, das kann ich nicht schreiben.",
    "Ich kann dabei leider nicht helfen.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Désolée, je ne peux pas faire cela.",
    "Je ne peux pas créer ce contenu.",
    "Lo siento, pero no puedo ayudar con eso.",
    "No puedo ayudarte con esa solicitud.",
    "Mi dispiace, ma non posso aiutarti.",
    "Desculpe, mas não posso ajudar com isso.",
    "Извините, но я не могу помочь с этим.",
    "К сожалению, я не могу выполнить этот запрос.",
]


@pytest.mark.parametrize("raw", WRAPPED)
def test_the_answer_alone(raw):
    assert read_answer(raw) == (FOX, "")


@pytest.mark.parametrize("prompt", [FOX, *PROMPTS])
def test_a_prompt_stays_to_the_letter(prompt):
    assert read_answer(prompt, form="any") == (prompt, "")
    assert read_answer(f"Here is your prompt:\n\n{prompt}", form="any") == (prompt, "")


@pytest.mark.parametrize(
    ("raw", "prompt"),
    [
        ("a red fox,,,, deep snow, , dawn", "a red fox, deep snow, dawn"),
        ("a red fox, deep snow,,,,,,,,", "a red fox, deep snow"),
        (",,,, a red fox, snow", "a red fox, snow"),
        ("a red fox, deep snow,", "a red fox, deep snow,"),
    ],
)
def test_commas_without_anything_between_them_are_dropped(raw, prompt):
    assert read_answer(raw, form="tags")[0] == prompt


def test_commas_in_a_row_are_the_users():
    said = "a red fox,, deep snow"
    assert read_answer(said, idea="a fox,, snow", form="tags")[0] == said


@pytest.mark.parametrize("raw", REFUSALS)
def test_a_refusal_is_an_error(raw):
    with pytest.raises(Refused) as caught:
        read_answer(raw, who="Fox (fox)")
    assert caught.value.message.startswith("Fox (fox) declined: “")
    assert len(caught.value.message) < 220
    assert caught.value.hint


def test_a_long_text_is_no_refusal():
    assert not is_refusal("I'm sorry, but I can't help with that. " + "snow " * 200)


@pytest.mark.parametrize(
    "raw", ["", "  \n", "<think>hm</think>", "<think>and so on", '""', "```\n\n```", "...", "—", "**"]
)
def test_nothing_is_an_error(raw):
    with pytest.raises(EmptyAnswer):
        read_answer(raw)


@given(st.text(max_size=200))
def test_any_answer_is_a_prompt_or_a_plain_error(raw):
    try:
        once, _ = read_answer(raw)
    except (EmptyAnswer, Refused):
        return
    assert once == once.strip()
    assert any(character.isalnum() for character in once)


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        ("A fox", "A fox", ""),
        ("A fox\nNegative: cats, dogs.", "A fox", "cats, dogs"),
        ("A fox\n\n**Negative prompt:** cats,\n dogs", "A fox", "cats, dogs"),
        ("A fox\nNegative_prompt: cats", "A fox", "cats"),
        ("A fox\nnegative : cats", "A fox", "cats"),
        ("A fox\n### Negative: cats", "A fox", "cats"),
        ("一只狐狸\nNegative：猫", "一只狐狸", "猫"),
        ("一只狐狸\n负面提示词：猫", "一只狐狸", "猫"),
        ("A fox\nNegative: none", "A fox", ""),
        ("A fox\nNegative: (none)", "A fox", ""),
        ("A fox\nNegative: N/A.", "A fox", ""),
        ("A fox\nNegative:", "A fox", ""),
        ("A fox, negative space: snow", "A fox, negative space: snow", ""),
        ("Negative space: snow", "Negative space: snow", ""),
    ],
)
def test_the_last_line_may_be_the_negative(text, prompt, negative):
    assert read_answer(text) == (prompt, negative)


def test_a_negative_alone_is_an_error():
    with pytest.raises(EmptyAnswer, match="negative"):
        read_answer("Negative: cats")


def test_a_negative_after_a_fence_is_found():
    raw = "Here is the prompt:\n```\nA fox\n```\nNegative: cats"
    assert read_answer(raw) == ("A fox", "cats")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A fox\nin snow", "A fox in snow"),
        ("- a fox\n- snow\n\n* sun", "a fox snow sun"),
        ("1. a fox\n2) snow", "a fox snow"),
        ("A **red** fox", "A red fox"),
        ("35mm film,\n1.5 stops over", "35mm film, 1.5 stops over"),
        ("-1 degrees", "-1 degrees"),
    ],
)
def test_one_paragraph(text, line):
    assert one_paragraph(text) == line
