"""The part of an answer that is shown while it is written: the prompt alone, from first word to last."""

from __future__ import annotations

import pytest

from quillwork.llm_backends.thinking import ThinkingSplitter
from quillwork.prompting.answers.preview import preview

FOX = "A red fox sits in deep snow at dawn, soft light."


def shown(said: str, form: str = "prose") -> list[str]:
    """All that is shown while `said` comes in small pieces."""
    splitter, text, seen = ThinkingSplitter(), "", []
    for place in range(0, len(said), 3):
        text += splitter.feed(said[place : place + 3])[0]
        seen.append(preview(text, form))
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
    seen = shown(said)
    assert [text for text in seen if not FOX.startswith(text)] == []
    assert any(len(text) > len(FOX) // 2 for text in seen), "it should not wait for the end"


def test_sections_and_json_are_shown_as_they_come():
    assert shown("Scene: a fox in deep snow.\nCamera: slow pan left.\n", "sections")[-1].startswith(
        "Scene: a fox"
    )
    assert shown('{"scene": "a fox in deep snow"', "json")[-1].startswith('{"scene": "a fox')


def test_a_long_text_is_not_looked_through():
    text = "snow " * 10_000
    assert preview(text, "prose") == text
