"""Layout of an answer: labelled parts, alternatives, remarks; and which of the parts is the prompt."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from . import vocabulary as words
from .around.alternatives import first_alternative, first_between_rules, names_several
from .around.negative import RULE, tidy_negative, without_negative
from .around.table import prompt_in_table
from .around.tongues import is_other_tongue
from .envelope import peel
from .labels import Kind, Label, is_part_of_picture, label_of
from .talk import inline_announcement, is_leading_talk, is_remark, without_last_remark

_SIBLING = re.compile(r"\A\s*(?:[-*•]\s+)?[*_]*[^\W\d][\w /]{1,24}[*_]*[:：]\s*\S")
_AFTER = re.compile(r"(?i)\A[\s*_#-]*after[\s*_]*[:：][\s*_]*(?P<rest>.*)\Z")
_ARROW = re.compile(r"[\s\"'`*”.]*(?:→|➡\ufe0f?|➜|⇒|[-=]+>)[\s\"'`*“]*")
_TAGS = (["tags"], ["keywords"])
_VERSIONS = (["version"], ["variation"], ["variant"], ["option"], ["take"])
_INFOTEXT = re.compile(r"(?i)\n\s*steps\s*:\s*\d+.*\Z", re.S)
_PARAMETERS = re.compile(
    r"(?:\s+--(?:ar|v|s|q|c|no|iw|sref|cref|chaos|style|stylize|niji|quality|seed|weird|tile|raw"
    r"|aspect|version|profile|hd|stop)\b(?:[ \t]+[\w:./]+)?)+\s*\Z"
)
_COUNT = re.compile(
    r"(?i)\s*[(\[（【]\s*(?:(?:about|approx\.?|~|≈|word count:?|共)\s*)?\d{1,4}\s*(?:words?"
    r"|characters?|tokens?|词|字)\s*[)\]）】]\s*\Z"
)
_CITATION = re.compile(
    r"(?<=[\w.,;!?。])\[\d{1,2}\](?:\[\d{1,2}\])*(?=[\s.,;!?]|\Z)|\s*【\d+†[^】]*】"
    r"|(?<=[.!?。])\s+(?:\[\d{1,2}\])+\s*\Z"
)
# In characters: no prompt has as many, and a text that never ends is not worth the time.
_LONGEST = 20_000
_MOST_LEADING_WORDS = 12
_MOST_PROMISING_WORDS = 5
_LONGEST_ECHO_AROUND = 30


@dataclass(slots=True)
class _Part:
    """Lines under one label; `label` is None for what stands before the first."""

    label: Label | None
    lines: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind | None:
        return self.label.kind if self.label else None

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()


def read_layout(text: str, idea: str, single: bool) -> tuple[str, str]:
    """Return (prompt, negative) from an answer without wrappers; "" for what it does not have.

    Labels that `idea` has as well are the user's. With `single` the prompt is one paragraph, list or line;
            its own lines may have labels.
    """
    if len(text) > _LONGEST:
        return text.strip(), ""
    text = _INFOTEXT.sub("", text)
    text = _behind_arrow(text, idea)
    if table := prompt_in_table(text):
        return table
    parts = _parts(text, idea, single)
    negative = next((part.text for part in parts if part.kind in ("negative", "avoid") and part.text), "")
    prompt = _prompt_of(parts, idea, single)
    if not prompt and not negative and any(part.text for part in parts):
        # Nothing but parts that are none of the prompt: then they were not what their labels say.
        prompt = text
    prompt, inline = without_negative(prompt, idea)
    negative = negative or inline
    if "--" not in idea:
        prompt = _PARAMETERS.sub("", prompt)
    if (count := _COUNT.search(prompt)) and count.group().strip() not in idea:
        prompt = prompt[: count.start()]
    if "[" not in idea and "【" not in idea:
        prompt = _CITATION.sub("", prompt)
    return peel(prompt, idea), tidy_negative(negative)


def _parts(text: str, idea: str, single: bool) -> list[_Part]:
    """Cut `text` at its labels."""
    own = idea.lower()
    parts = [_Part(None)]
    for line in text.splitlines():
        label = _in_its_place(label_of(line), parts, single)
        if label is not None and (
            label.text.lower() + ":" in own
            or is_part_of_picture(label, own)
            or not _counts(label, parts, single)
        ):
            label = None
        if label is None and _stands_before(parts) and (after := _AFTER.match(line)):
            label = Label("result", "after", after["rest"])
        last = parts[-1]
        if label is not None:
            if label.kind == "notes" and (above := _labelled_above(last.lines)):
                # Mood, light and aspect ratio in one block are all of them remarks.
                del last.lines[-above:]
            # A sign behind the colon is YAML's, for a text on the next lines.
            parts.append(_Part(label, [label.rest] if label.rest.strip("|>-+ ") else []))
            if label.kind == "echo" and label.rest and _flat(label.rest) == _flat(idea.partition("\n")[0]):
                parts.append(_Part(None))
        elif last.kind in ("echo", "plan") and not line.strip() and last.text:
            # An echo is one paragraph; what follows it may be the prompt.
            parts.append(_Part(None))
        elif last.kind == "title":
            parts.append(_Part(None, [line]))
        else:
            last.lines.append(line)
    return parts


def _in_its_place(label: Label | None, parts: list[_Part], single: bool) -> Label | None:
    """Return the label that the same words are behind, or without, what stands above them."""
    if label is None or not single:
        return label
    said = words.words_of(label.text)
    if label.kind == "notes" and label.rest and said[-1:] in _TAGS and not any(part.text for part in parts):
        return replace(label, kind="result")
    if label.kind == "result" and said[-1:] in _VERSIONS and any(p.kind == "alternative" for p in parts):
        return replace(label, kind="alternative")
    return label


def _stands_before(parts: list[_Part]) -> bool:
    return any(part.label is not None and part.label.text.lower() == "before" for part in parts)


def begins_prompt(text: str, idea: str, single: bool) -> bool:
    """Tell whether an unfinished answer has anything of its prompt yet."""
    parts = [part for part in _parts(text, idea, single) if part.text]
    return any(
        part.kind in (None, "prompt", "result", "role", "alternative")
        and not (part.label is None and _is_talk_alone(part.text))
        for part in parts
    )


def _counts(label: Label, parts: list[_Part], single: bool) -> bool:
    """Tell whether a label counts where it stands: some do at the top only, or behind a prompt only."""
    before = any(part.text for part in parts)
    at_top = all(
        part.kind in ("echo", "plan", "title", "role", "negative")
        or not part.text
        or (part.label is None and _is_talk_alone(part.text))
        for part in parts
    )
    follows_blank = (
        not parts[-1].lines or not parts[-1].lines[-1].strip() or RULE.match(parts[-1].lines[-1]) is not None
    )
    match label.kind:
        case "negative":
            return True
        case "avoid":
            return any(part.kind in (None, "prompt", "result") and part.text for part in parts)
        case "prompt":
            return True
        case "result":
            return (at_top and (single or before or label.heading)) or label.is_final
        case "role":
            return at_top
        case "alternative":
            return at_top or (single and (follows_blank or any(part.kind == "alternative" for part in parts)))
        case "notes":
            return (
                bool(before)
                and not at_top
                and (follows_blank or label.heading or _labelled_above(parts[-1].lines) > 0)
            )
        case "title":
            return at_top and single
        case _:
            return at_top or follows_blank or not label.rest or label.text.lower() == "keep exactly"


def _labelled_above(lines: list[str]) -> int:
    """Return how many lines of the last block are labelled; 0 where not all are, or nothing stands before."""
    blank = next((place for place in range(len(lines) - 1, -1, -1) if not lines[place].strip()), None)
    block = lines[blank + 1 :] if blank is not None else []
    return len(block) if all(_SIBLING.match(line) for line in block) else 0


def _is_talk_alone(text: str) -> bool:
    return all(is_leading_talk(block) for block in re.split(r"\n\s*\n|\n", text) if block.strip())


def _prompt_of(parts: list[_Part], idea: str, single: bool) -> str:
    """Return the text of the part that is the prompt."""
    named = [part for part in parts if part.kind == "prompt" and part.text]
    named.sort(key=lambda part: not (part.label and part.label.is_final))
    loose = [part for part in parts if part.kind in (None, "result", "role")]
    others = [part for part in parts if part.kind in ("alternative", "title") and part.text]
    candidates = [*named, *(part for part in loose if part.text), *others]
    for part in candidates:
        text = part.text
        if part.label is None and len(candidates) > 1 and _is_talk_alone(text):
            continue
        if part.kind == "title" and part.label:
            text = f"{part.label.text}: {text}"
        if part.kind == "result" and part.label and not part.label.heading and _has_siblings(part):
            text = f"{part.label.text}: {text}"
        found = _content(text, idea, single, labelled=part.kind is not None)
        if found and any(c.isalnum() for c in found):
            return found
    return ""


def _has_siblings(part: _Part) -> bool:
    """Tell whether other labels follow on the next lines: then all of them belong to the prompt."""
    return any(_SIBLING.match(line) for line in part.lines[1:])


def _content(text: str, idea: str, single: bool, *, labelled: bool) -> str:
    """Return a part without the talk before and behind its prompt."""
    blocks = [block.strip("\n") for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    blocks = _without_echo(blocks, idea)
    blocks = _without_announcements(blocks, idea, labelled, single)
    announced = text[: text.find(blocks[0])] if blocks else ""
    if single:
        blocks = first_between_rules(blocks, idea)
    longest = max(blocks, key=len, default="")
    kept: list[str] = []
    ruled = False
    for block in blocks:
        if RULE.match(block):
            ruled = True
            continue
        if kept and (is_remark(block, single) or (ruled and is_leading_talk(block))):
            break
        if single and block is not longest and is_other_tongue(block, longest):
            continue
        kept.append(block)
    if kept:
        kept[-1] = _without_last_remarks(kept[-1])
    if single and len(kept) > 1 and _is_heading(kept[0], kept[1]):
        kept = kept[1:]
    kept = _in_main_script(kept)
    text = "\n\n".join(kept)
    if single:
        text = first_alternative(text, text != "\n\n".join(blocks), names_several(announced))
        text = without_last_remark(text, idea)
    return peel(text, idea)


def _without_echo(blocks: list[str], idea: str) -> list[str]:
    """Drop the user's own idea where it stands alone before what was made of it."""
    own = _flat(idea.partition("\n")[0])
    if len(blocks) > 1 and len(own.split()) > 2 and len(max(blocks[1:], key=len)) > len(blocks[0]):
        said = _flat(blocks[0])
        around = len(said) - len(own)
        if own in said and around <= _LONGEST_ECHO_AROUND and "\n" not in blocks[0].strip():
            return blocks[1:]
    return blocks


def _behind_arrow(text: str, idea: str) -> str:
    """Return what the idea became, of an answer that is both: “a fox → a red fox in deep snow”."""
    own, said = idea.strip(), text.lstrip(" \n\"'`*“")
    if not own or not said.lower().startswith(own.lower()):
        return text
    arrow = _ARROW.match(said, len(own))
    behind = said[arrow.end() :] if arrow else ""
    # An arrow may be in the picture; what an idea became has some of its words.
    return behind if set(words.words_of(own)) & set(words.words_of(behind)) - {"a", "the"} else text


def _flat(text: str) -> str:
    return " ".join(words.words_of(text))


def _without_announcements(blocks: list[str], idea: str, labelled: bool, single: bool) -> list[str]:
    """Drop the lines before the prompt that only announce it; the last block always stays."""
    own = " ".join(idea.lower().split())
    if len(blocks) > 2 and single and is_leading_talk(blocks[0]):
        # What was planned aloud ends where a line leads to the prompt.
        leading = [place for place in range(1, len(blocks) - 1) if _leads(blocks[place], blocks[place + 1])]
        blocks = blocks[leading[-1] :] if leading else blocks
    while blocks:
        first, _, rest = blocks[0].partition("\n")
        if " ".join(first.lower().split()) in own and own:
            break
        if len(blocks) > 1 and (is_leading_talk(blocks[0]) or (single and _leads(blocks[0], blocks[1]))):
            blocks = blocks[1:]
        elif (
            rest.strip()
            and _is_talk_above(first, single)
            and not first.lstrip().startswith(("-", "*  ", "1."))
        ):
            blocks = [rest.strip("\n"), *blocks[1:]]
        else:
            break
    if blocks and not labelled:
        first, newline, rest = blocks[0].partition("\n")
        begin = inline_announcement(first)
        head = first[:begin].lower().strip()
        if begin and not (head and head in own):
            blocks = [first[begin:].lstrip(" *_") + newline + rest, *blocks[1:]]
    return blocks


def _is_talk_above(line: str, single: bool) -> bool:
    leads = line.rstrip("*_ ").endswith((":", "：")) and len(line.split()) <= _MOST_PROMISING_WORDS
    return is_leading_talk(line) or (single and leads and names_several(line))


def _leads(first: str, second: str) -> bool:
    """Tell whether a line that ends with a colon only leads to the paragraph behind it."""
    few = len(first.split()) <= _MOST_LEADING_WORDS and "\n" not in first.strip()
    return (
        few
        and first.rstrip().endswith((":", "："))
        and not any(_SIBLING.match(line) for line in second.splitlines())
    )


def _without_last_remarks(block: str) -> str:
    lines = block.splitlines()
    for place in range(1, len(lines)):
        if is_remark(lines[place]) and lines[place].strip():
            return "\n".join(lines[:place])
    return block


def _is_heading(first: str, second: str) -> bool:
    """Tell whether a block is the title of the one behind it: a heading, or a few words in bold."""
    title = first.strip()
    marked = re.fullmatch(r"#{1,6}\s+[^\n]{1,80}|\*\*[^*\n]{1,60}\*\*", title) is not None
    return (
        marked
        and title.strip("#* ")[-1:] not in (".", ",", "。")
        and len(second.split()) > len(title.split())
    )


def _in_main_script(blocks: list[str]) -> list[str]:
    """Drop blocks behind the first that are in another script, and hold nothing in the first one's."""
    if len(blocks) < 2:
        return blocks
    longest = max(range(len(blocks)), key=lambda place: len(blocks[place]))
    main = _scripts(blocks[longest])
    if not main:
        return blocks
    return [
        block
        for place, block in enumerate(blocks)
        if place == longest or main & _scripts(block) or not _scripts(block)
    ]


def _scripts(text: str) -> frozenset[str]:
    found = set()
    for c in text:
        if not c.isalpha():
            continue
        if c < "\u0250":
            found.add("latin")
        elif "\u0400" <= c < "\u0530":
            found.add("cyrillic")
        elif words.is_unspaced(c):
            found.add("unspaced")
        else:
            found.add("other")
    return frozenset(found)
