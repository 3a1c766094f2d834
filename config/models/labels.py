"""Labels of models for people, made from the ids of families that follow a rule."""

from __future__ import annotations

import re

# Also as Amazon's and Google's clouds write it: us.anthropic.claude-haiku-4-5-20251001-v1:0, …@20251001.
_CLAUDE = re.compile(
    r"(?:[a-z]+\.)*claude-(?:(?P<kind>[a-z]+)-)?(?P<number>\d+(?:[-.]\d{1,2})?)(?:-(?P<late>[a-z]+))?"
    r"(?:[-@]\d{8})?(?:-v\d+(?::\d+)?)?"
)
_GPT_OSS = re.compile(r"gpt-oss-(?P<size>\d+)b")
_GPT = re.compile(r"gpt-(?P<number>\d[\w.]*)(?P<more>(?:-[a-z]+)*)")
_GEMINI = re.compile(r"gemini-(?P<number>\d+(?:\.\d+)?)(?P<more>(?:-[a-z]+)*)")


def human_label(model: str) -> str:
    """The label ``Claude Haiku 4.5`` for claude-haiku-4-5; empty for an id that follows no known rule."""
    name = model.rpartition("/")[2].removeprefix("openai-")
    if match := _CLAUDE.fullmatch(name):
        kind = match["kind"] or match["late"] or ""
        return f"Claude {kind.title()} {match['number'].replace('-', '.')}".replace("  ", " ")
    if match := _GPT_OSS.fullmatch(name):
        return f"GPT-OSS {match['size']}B"
    if match := _GPT.fullmatch(name):
        return f"GPT-{match['number']}{_words(match['more'])}"
    if match := _GEMINI.fullmatch(name):
        return f"Gemini {match['number']}{_words(match['more'])}"
    return ""


def _words(more: str) -> str:
    return "".join(f" {word}" for word in more.split("-") if word).title().replace("Gpt", "GPT")
