"""The part of an answer that is shown while it is written: the prompt alone, from first word to last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quillwork.llm_backends.thinking import ThinkingSplitter
from quillwork.prompting.answers.preview import preview

FOX = "A red fox sits in deep snow at dawn, soft light."


LONG = (
    "An old lighthouse keeper climbs a spiral staircase, lantern in hand, salt-stained coat and grey beard."
    " Warm lamplight grazes the wet stone walls; outside the narrow window a storm tears at the sea."
)
FOLDER = Path(__file__).parent / "cases"


def shown(said: str, form: str = "prose", idea: str = "", step: int = 3) -> list[str]:
    """All that is shown while `said` comes in small pieces."""
    splitter, text, seen = ThinkingSplitter(), "", []
    for place in range(0, len(said), step):
        text += splitter.feed(said[place : place + step])[0]
        seen.append(preview(text, form, idea))
    return seen


@pytest.mark.parametrize(
    "said",
    [
        FOX,
        f"<think>\nThe user wants a fox.\n</think>\n\n{FOX}",
        f"<|channel|>analysis<|message|>A fox.<|end|><|start|>assistant<|channel|>final<|message|>{FOX}",
        f"[THINK]The user wants a fox.[/THINK]{FOX}",
        f"◁think▷The user wants a fox.◁/think▷{FOX}",
        f"analysisThe user wants a fox.assistantfinal{FOX}",
        f"Okay:\n\n<think>plan</think>\n\n{FOX}",
        f"Okay, the user wants a fox prompt. I should describe the snow.\n\n{FOX}",
        f"好的，用户需要一个狐狸的提示词。\n\n{FOX}",
        f"Sure! Here is your enhanced prompt:\n\n**Prompt:** {FOX}\n\nI hope this helps!",
        f"以下是优化后的提示词：\n\n{FOX}",
        f"<prompt>{FOX}</prompt>\n<negative>blurry</negative>",
        f"<answer>\n{FOX}\n</answer>",
        f"```text\n{FOX}\n```",
        f'"{FOX}"',
        f"**{FOX}**",
        f'{{"prompt": "{FOX}", "negative_prompt": "blurry"}}',
        f"{FOX}\nNegative prompt: blurry",
        f"{FOX} Negative prompt: blurry",
        f"{FOX}<|im_end|>\n<|im_start|>user\nThanks!",
        f"{FOX}\n\nLet me know if you'd like any changes.",
        f"Idea: a fox\n\nPrompt: {FOX}",
    ],
)
def test_nothing_but_the_prompt_is_ever_shown(said):
    seen = shown(said.replace(FOX, LONG))
    assert [text for text in seen if not LONG.startswith(text)] == []
    assert any(len(text) > len(LONG) // 2 for text in seen), "it should not wait for the end"


# The mark that ends this thinking had none that began it; nothing behind a name in bold tells that it is one.
TOLD_TOO_LATE = {"tokens-26", "alternatives-5"}


def test_nothing_is_shown_and_then_taken_back():
    taken_back = []
    cases = json.loads((FOLDER / "answers.json").read_text("utf-8"))
    for place, case in enumerate(cases):
        is_recent = case["name"].startswith("fresh-")
        if "prompt" not in case or case["name"] in TOLD_TOO_LATE or not (is_recent or place % 4 == 0):
            continue
        prompt = case["prompt"].replace("$FOX", LONG)
        seen = shown(
            case["say"].replace("$FOX", LONG),
            case.get("form", "prose"),
            case.get("idea", "a fox in the snow"),
            step=29,
        )
        if any(not flat(prompt).startswith(flat(text)) for text in seen):
            taken_back.append(case["name"])
    assert taken_back == []


def flat(text: str) -> str:
    return " ".join(text.replace("*", "").split())


def test_a_prompt_is_not_held_back_for_long():
    prompts = [case["say"] for case in json.loads((FOLDER / "prompts.json").read_text("utf-8"))]
    late = [
        prompt
        for prompt in prompts
        if len(prompt) > 130 and "\n" not in prompt and not shown(prompt[:121], step=40)[-1]
    ]
    assert len(late) <= len(prompts) // 100, late


@pytest.mark.parametrize(
    "said", ["1girl, solo, silver hair, blue kimono", "red fox, deep snow, dawn, soft light"]
)
def test_tags_are_shown_after_the_second_comma(said):
    assert shown(said, "tags")[-2]


def test_sections_and_json_are_shown_as_they_come():
    assert shown("Scene: a fox in deep snow.\nCamera: slow pan left.\n", "sections")[-1].startswith(
        "Scene: a fox"
    )
    assert shown('{"scene": "a fox in deep snow"', "json")[-1].startswith('{"scene": "a fox')


def test_a_long_text_is_not_looked_through():
    text = "snow " * 10_000
    assert preview(text, "prose") == text
