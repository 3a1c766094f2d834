"""Removal of everything that models say around an answer."""

from __future__ import annotations

import html
import json
import re

from ...llm_backends.errors import EmptyAnswer, Refused
from ...llm_backends.thinking import without_thinking
from .around.negative import tidy_negative
from .control_tokens import without_control_tokens
from .envelope import behind_fences, envelope_of, fenced, json_in, peel, prompt_in_json
from .labels import label_of
from .layout import read_layout
from .no_prompt.questions import asks_back
from .no_prompt.refusal import is_refusal

# Forms whose own lines may have labels, which are then no labels of the answer.
_DEEPEST = 4
LABELLED_FORMS = ("json", "sections", "any")
# A sign that a picture begins with: Markdown has a capital letter behind it, or bullets a word.
_OWN_SIGN = re.compile(r"\A\s*(>(?=\s*[a-z_<>:^])|\#{1,6}(?=\s+[a-z])|[-*](?=\s+(?:[*-]\s|\d+\s)))[^\n]*\Z")
# Characters as HTML writes them.
_ENTITY = re.compile(r"&(?:quot|amp|apos|lt|gt|nbsp|hellip|[mn]dash|[lr][sd]quo|#39|#x27|#34);")
# A word or some in italics.
_ITALIC = re.compile(r"(?<![\w*\\])\*(?=[^\W_])([^*\n]{1,80}?)(?<=[^\s*])\*(?![\w*])")
# One of several lines with a name each.
_FIELD = re.compile(r"[A-Z][\w /-]{1,24}:\s+\S")
# Commas in a row: a list whose terms a model forgot.
_NO_TERMS = re.compile(r"(?:,[ \t]*){2,}")
# A turn of the user's that the model made up.
_OTHER_TURN = re.compile(
    r"(?is)(?<=\S)\s*\n[ \t]*#{2,}[ \t]*(?:instruction|input|user|human)s?\b[ \t]*:?[ \t]*\n.*\Z"
)


def read_answer(text: str, *, who: str = "The model", idea: str = "", form: str = "prose") -> tuple[str, str]:
    """Return (prompt, negative) from an answer: no thinking, wrappers, "Here is your prompt:", remarks.

    What `idea`, the user's own text, has as well stays as it is; `form` is that of the target. Raises
    `Refused` for a refusal and `EmptyAnswer` where nothing is left, or only a question to the user; `who`
    names the model there.
    """
    text = bare(text, who=who)
    prompt, negative = unwrapped(text, idea, form)
    if form not in LABELLED_FORMS and not _NO_TERMS.search(idea):
        prompt = _NO_TERMS.sub(_comma, prompt)
    if is_refusal(prompt):
        raise Refused(f"{who} declined: “{_short(prompt)}”")
    if asks_back(prompt, idea):
        raise EmptyAnswer(
            f"{who} asked a question and wrote no prompt: “{_short(prompt)}”",
            hint="Put more into the idea, or choose another model.",
        )
    if not any(character.isalnum() for character in prompt):
        if negative:
            raise EmptyAnswer(f"{who} wrote only a negative prompt.")
        raise EmptyAnswer(f"{who} returned nothing that could be used as a prompt.")
    return prompt, negative


def _comma(row: re.Match[str]) -> str:
    return ", " if row.start() and row.end() < len(row.string) else ""


def bare(text: str, *, who: str = "The model") -> str:
    """Return an answer without thinking and control tokens; raises `Refused` where it is a refusal."""
    text = bare_so_far(text)
    if is_refusal(text):
        raise Refused(f"{who} declined: “{_short(text)}”")
    return text


def bare_so_far(text: str) -> str:
    """Return an answer, finished or not, without thinking and control tokens."""
    text = without_control_tokens(without_thinking(text.strip()))
    return _OTHER_TURN.sub("", without_thinking(text))


def unwrapped(text: str, idea: str, form: str) -> tuple[str, str]:
    """Take the prompt out of an envelope, JSON or a code fence, whichever there is, and read what is left."""
    single = form not in LABELLED_FORMS
    negative = ""
    if form != "tags" and (own := _OWN_SIGN.match(text)):
        # Counts as the user's, like all that an idea begins with.
        idea = f"{own[1]}{idea}"
    if form != "json":
        text = _ENTITY.sub(lambda found: found[0] if found[0] in idea else html.unescape(found[0]), text)
    if form == "json":
        said = json_in(text)
        if isinstance(said, (dict, list)):
            return _json_text(text, said), ""
    for _ in range(_DEEPEST):
        found = envelope_of(text) or prompt_in_json(json_in(text)) or _from_fences(text)
        if not found or found[0] == text:
            break
        text, negative = found[0], negative or found[1]
    prompt, other = read_layout(peel(text, idea), idea, single)
    return prompt, tidy_negative(negative) or other


def _json_text(text: str, said: object) -> str:
    """Return the JSON as the model wrote it, or as it was mended."""
    start, end = min(place for place in (text.find("{"), text.find("[")) if place >= 0), text.rfind("}")
    written = text[start : end + 1]
    try:
        json.loads(written, strict=False)
    except ValueError:
        return json.dumps(said, ensure_ascii=False)
    return written


def _from_fences(text: str) -> tuple[str, str] | None:
    """Return (prompt, negative) of an answer with code fences: the first one of a prompt's length.

    None without a fence.
    """
    prompts, negative = [], ""
    for before, _, inside in fenced(text):
        label = (
            label_of(before if before.rstrip().endswith((":", "：", "*")) else f"{before}:")
            if before.strip()
            else None
        )
        if label is not None and label.kind in ("negative", "avoid"):
            negative = negative or inside
        elif inside:
            prompts.append(inside)
    if not prompts:
        return None
    longest = max(len(prompt) for prompt in prompts)
    first = next(prompt for prompt in prompts if 2 * len(prompt) >= longest)
    if not negative:
        negative = read_layout("-\n" + behind_fences(text), "", True)[1]
    return first, negative


def one_paragraph(text: str, idea: str = "") -> str:
    """Join the lines with spaces and drop bullets and marks of emphasis, as a prose or tag prompt needs it.

    Marks inside quotes are lettering, and stars that `idea` has as well are the user's.
    """
    lines = [re.sub(r"^\s*(?:[-*•]\s+|\d+[.)]\s+)", "", line).strip() for line in text.splitlines()]
    if len(lines) == 1:
        lines = [text.strip()]
    lines = [line for line in lines if line]
    if sum(_FIELD.match(line) is not None for line in lines) > 1:
        # “Subject: a fox” and “Light: dawn” run into one without their lines.
        lines = [f"{line}." if line[-1].isalnum() and line is not lines[-1] else line for line in lines]
    joined = " ".join(lines)
    plain = re.sub(r"(\"[^\"]*\"|“[^”]*”)|\*\*(.+?)\*\*", lambda found: found[1] or found[2], joined)
    if "*" in idea or (plain == joined and len(_ITALIC.findall(plain)) < 2):
        # One alone may be a title.
        return plain
    return re.sub(rf"(\"[^\"]*\"|“[^”]*”)|{_ITALIC.pattern}", lambda found: found[1] or found[2], plain)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:160] + " …"
