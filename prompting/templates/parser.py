r"""The syntax of templates: variables, variants, weights; and what is left alone.

==========================  ==================================================================
``__name__``                a value of the variable `name`; `sub/name`, and `*` and `**` as in a glob
``{a|b}``                   one of the options; an option may be empty, and hold anything of this table
``{0.5::a|2::b}``           the same with weights; 1 where none is given. SD.Next: ``{a:0.5|b:2.0}``
``{2$$a|b|c}``              two different options, joined with ", "
``{1-3$$ and $$a|b|c}``     one to three, joined with " and "; `-3` and `1-` leave a bound open
``{2$$__name__}``           two different values of one variable
``{@a|b}`` ``__@name__``    in turn, whatever the selection; with ``~`` at random, with ``!`` combinations
``3#__name__``              three values of one variable, or three options in a variant (Impact Pack)
``${x=__a__}`` ``${x}``     set and use; ``=!`` picks once, ``?=`` yields to what is set, ``${x:default}``
``__name(x=red)__``         the same for one value alone
``%{a ... b$$c}``           wraps: c in the place of the ellipsis
``<[tag][--other]>``        an entry of Umi's YAML files that has the tag and not the other
``\{ \} \| \_``             the character itself
==========================  ==================================================================

Everything else is text and stays as it is, byte for byte: braces without a ``|`` or ``$$``, JSON objects
(a brace followed by ``"key":``; what stands inside is still read), weights such as ``(word:1.2)``, names
in ``<lora:…>`` and ``embedding:…``. Inside those two a variable counts only where it fills a whole field:
``<lora:__style__:0.8>`` has one, ``<lora:my__style__v2:0.8>`` has none. A ``|`` within brackets or
parentheses that close again belongs to the option: ``{blond|[black|gray]}`` has two. Options that stand on
lines of their own are without the line ends, and may have ``# comments``. What looks like syntax and is
not (a brace without its partner) stays too, with a warning.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .braces import MAX_BRACE_DEPTH, closing_braces, comments_removed, separators, text_weights
from .escaping import TAGS, WEIGHT, literal, literal_value, split_weight
from .nodes import (
    Access,
    Assignment,
    Node,
    Nodes,
    Option,
    Variable,
    Variant,
    Wrap,
    references,
)

__all__ = [
    "DEFAULT_JOINER",
    "MAX_BRACE_DEPTH",
    "Nodes",
    "Option",
    "Template",
    "Variable",
    "Variant",
    "literal",
    "literal_value",
    "parse",
    "references",
    "split_weight",
]

DEFAULT_JOINER = ", "
MOST_COPIES = 100
"""The most options that ``N#__name__`` makes."""


@dataclass(frozen=True, slots=True)
class Template:
    nodes: Nodes
    warnings: tuple[str, ...] = ()
    leads_on: bool = False
    """True where it holds variables or samplers, and so more than its own choices."""


# Letters beyond ASCII are checked by category afterwards: `\w` matches no combining marks, and without
# them there are no names in Hindi or Thai.
_NAME = (
    r"(?:[A-Za-z0-9*./'(&+]|[^\x00-\x7f])"
    r"(?:[A-Za-z0-9*./ \-&'(),+]|\\(?=[A-Za-z0-9*])|[^\x00-\x7f]|_(?!_))*?(?<![ _])"
)
# Every alternative begins with a character of its own: that makes the search several times as fast.
_TOKEN = re.compile(
    rf"\\(?:[{{}}|_]|(?={TAGS})<)|\${{|%{{|{{|}}|{TAGS}"
    rf"|__(?P<sampler>[@~!]?)(?P<name>{_NAME})(?:\((?P<parameters>[^()\n=]*=[^()\n]*)\))?__"
)
_COPIES = re.compile(r"(?<!\w)(?P<count>[1-9]\d{0,2})#\Z")
_TAG = re.compile(r"<[A-Za-z][\w-]*:[^<>\n]*>|(?<!\w)embedding:[^\s,(){}\[\]<>|]+", re.IGNORECASE)
_JSON_OBJECT = re.compile(r'\s*"(?:[^"\\]|\\.)*"\s*:')
_ACCESS = re.compile(r"\{\s*(?P<name>[^\W\d][\w-]*)\s*(?P<operator>\??=\s*!|\??=|[:}])")
_SAMPLER = re.compile(r"\s*(?P<sampler>[@~!])\s*")
_PLAIN = re.compile(r"\{[^{}|\[\]()<>$:@~!#_\\\r\n]*(?:\|[^{}|\[\]()<>$:@~!#_\\\r\n]*)+\}")
_BOUNDS = re.compile(r" ?(?:(?P<low>\d{1,6}) ?(?P<dash>- ?(?P<high>\d{1,6})?)?|- ?(?P<upto>\d{1,6})) ?\$\$")
MAY_HOLD_SYNTAX = re.compile(r"[{}\\]|__|\]>")
# A number before one of these is the weight of what is in brackets, or of a LoRA.
_EMPHASIS_ENDS = {")", "]", ">"}
_LINE_AND_BLANKS = re.compile(r"[ \t]*\n?")


def parse(text: str) -> Template:
    """Return the nodes of `text`.

    Never fails: what is not syntax is text, with a warning where it nearly is.
    """
    if not MAY_HOLD_SYNTAX.search(text):
        return Template((text,) if text else ())
    parser = _Parser(text)
    nodes = parser.sequence(0, len(text))
    return Template(nodes, tuple(parser.warnings), parser.leads_on)


class _Parser:
    def __init__(self, text: str, counted: dict[str, int] | None = None) -> None:
        self.text = text
        self.warnings: list[str] = []
        self.leads_on = "__" in text or "]>" in text
        self._closing, warnings = closing_braces(text)
        self.warnings += warnings
        self._tags = [found.span() for found in _TAG.finditer(text)] if ":" in text else []
        self._tag_starts = [start for start, _ in self._tags]
        # How often what is the same stood in the text so far.
        self._counted: dict[str, int] = {} if counted is None else counted

    def sequence(self, start: int, end: int) -> Nodes:
        found = _TOKEN.search(self.text, start, end)
        if not found:
            return (self.text[start:end],) if start < end else ()
        nodes: list[Node] = []
        pending: list[str] = []

        def put(*new: Node) -> None:
            for node in new:
                if isinstance(node, str):
                    pending.append(node)
                    continue
                if text := "".join(pending):
                    nodes.append(text)
                pending.clear()
                nodes.append(node)

        position = start
        while found:
            at, piece = found.start(), found[0]
            copies = None
            if piece[0] == "_" and self.text[at - 1 : at] == "#":
                copies = _COPIES.search(self.text, max(position, at - 5), at)
            put(self.text[position : copies.start() if copies else at])
            position = found.end()
            if piece[0] == "\\":
                put(piece[1])
            elif piece[-1] == "{" and position - 1 in self._closing:
                brace, position = position - 1, self._closing[position - 1] + 1
                new = self._brace(at, brace, position - 1)
                put(*new)
                if isinstance(new[0], Assignment) and (at == start or self.text[at - 1] == "\n"):
                    # A line, or the beginning of one, that only sets something leaves nothing behind.
                    position = _LINE_AND_BLANKS.match(self.text, position, end).end()  # type: ignore[union-attr]
            elif piece[0] == "<":
                put(Variable(piece, source=piece, key=self._key(piece)))
            elif found["name"] is None:
                put(piece)
            elif self._is_variable(found["name"], at, position):
                put(self._variable(found, int(copies["count"]) if copies else 0))
            else:
                # The closing underscores may open the next variable.
                position = at + 2
                put(self.text[copies.start() if copies else at : position])
            found = _TOKEN.search(self.text, position, end)
        put(self.text[position:end])
        if text := "".join(pending):
            nodes.append(text)
        return tuple(nodes)

    def _key(self, identity: str) -> str:
        number = self._counted[identity] = self._counted.get(identity, 0) + 1
        return f"{identity}{number}"

    def _variable(self, found: re.Match[str], number: int) -> Variable | Variant:
        """Return the variable, `number` of it where that is not 0."""
        name, source = found["name"].replace("\\", "/"), found[0]
        parameters = tuple(self._parameters(found["parameters"])) if found["parameters"] else ()
        copies = [
            Variable(name, found["sampler"], parameters, source, self._key(f"__{name}__"))
            for _ in range(min(number, MOST_COPIES) or 1)
        ]
        if not number:
            return copies[0]
        options = tuple(Option((copy,), source=source) for copy in copies)
        source = f"{number}#{source}"
        return Variant(options, len(copies), len(copies), DEFAULT_JOINER, source, key=self._key(source))

    def _parameters(self, text: str) -> Iterator[Assignment]:
        for pair in text.split(","):
            name, _, value = pair.partition("=")
            inner = _Parser(value.strip(), self._counted)
            yield Assignment(name.strip(), inner.sequence(0, len(inner.text)))

    def _brace(self, start: int, opening: int, closing: int) -> Nodes:
        """Return what stands from `start`, which is the brace or the sign before it, to `closing`."""
        sign = self.text[start:opening]
        if sign == "$" and (found := _ACCESS.match(self.text, opening, closing + 1)):
            return (self._access(found, start, closing),)
        if sign == "%" and not _BOUNDS.match(self.text, opening + 1, closing):
            for at in self._at_this_level("$$", opening + 1, closing):
                wrapper = self.sequence(*self._stripped(opening + 1, at))
                return (Wrap(wrapper, self.sequence(*self._stripped(at + 2, closing))),)
        json = _JSON_OBJECT.match(self.text, opening + 1, closing)
        variant = None if json else self._commented(opening, closing) or self._variant(opening, closing)
        inner = (variant,) if variant else ("{", *self.sequence(opening + 1, closing), "}")
        return (sign, *inner) if sign else inner

    def _access(self, found: re.Match[str], start: int, closing: int) -> Assignment | Access:
        name, operator = found["name"], found["operator"]
        source = self.text[start : closing + 1]
        if operator == "}":
            return Access(name, None, source, self._key(f"${name}"))
        first, last = self._stripped(found.end(), closing)
        if self._closing.get(first) == last - 1:
            inner = self._stripped(first + 1, last - 1)
            if (alone := _TOKEN.fullmatch(self.text, *inner)) and alone["name"]:
                # Braces around the one variable of a value mean nothing: ``${x=!{__a__}}``.
                first, last = inner
        value = self.sequence(first, last)
        if operator == ":":
            return Access(name, value, source, self._key(f"${name}"))
        return Assignment(name, value, operator.endswith("!"), operator.startswith("?"))

    def _commented(self, opening: int, closing: int) -> Variant | None:
        """Return the variant between two braces where it is one without the comments in it."""
        inner = self.text[opening : closing + 1]
        without = comments_removed(inner)
        if without == inner:
            return None
        parser = _Parser(without, self._counted)
        nodes = parser.sequence(0, len(without))
        return nodes[0] if len(nodes) == 1 and isinstance(nodes[0], Variant) else None

    def _variant(self, opening: int, closing: int) -> Variant | Variable | str | None:
        """Return the variant between two braces, a text where they nearly are one, None where they are not.

        With None, what stands between the braces is read all the same.
        """
        source = self.text[opening : closing + 1]
        if _PLAIN.fullmatch(source):
            # Most have nothing but words in them, and large libraries have many.
            options = tuple(
                Option((text,) if text else (), 1.0, text.strip()) for text in source[1:-1].split("|")
            )
            return Variant(options, source=source, key=self._key(_identity(options)))
        start, sampler = self._sampler(opening + 1, closing)
        least = 1
        most: int | None = 1
        joiner: str | Nodes | None = None
        if bounds := _BOUNDS.match(self.text, start, closing):
            start, least, joiner = bounds.end(), int(bounds["low"] or 1), DEFAULT_JOINER
            upper = bounds["upto"] or bounds["high"] or (None if bounds["dash"] else bounds["low"])
            most = int(upper) if upper else None
            if found := self._joiner(start, closing):
                start, joiner = found
            problem = "" if self.text[start:closing].strip() else "has no options"
        else:
            problem = ""
        ranges = list(self._options(start, closing))
        if joiner is None and "$$" in source and any(self._at_this_level("$$", *ranges[0])):
            problem = "has no number before its `$$`"
        if not problem and joiner is None and len(ranges) == 1:
            return self._alone(start, closing, sampler)
        if problem:
            self._warn(f"`{_short(source)}` {problem}, so it stays as it is.")
            return source
        if most is not None and most < least:
            self._warn(f"`{_short(source)}` is read as {most} to {least}.")
            least, most = most, least
        weights: list[float | None] = [None] * len(ranges)
        emphasis = self._tag_around(opening)[0] >= 0 or self.text[closing + 1 : closing + 2] in _EMPHASIS_ENDS
        if joiner is None and ":" in source and not emphasis:
            ranges, weights = text_weights(self.text, ranges, WEIGHT)
        options = tuple(
            option
            for (first, last), weight in zip(ranges, weights, strict=True)
            for option in self._copies(first, last, weight, strip=joiner is not None)
        )
        key = self._key(_identity(options))
        return Variant(options, least, most, joiner, source, sampler, key)

    def _sampler(self, start: int, closing: int) -> tuple[int, str]:
        """Return where the options begin, and the sampler before them.

        A sign before each of the options is their own: names of artists begin with `@` for some models.
        """
        found = _SAMPLER.match(self.text, start, closing)
        if not found:
            return start, ""
        others = list(self._options(found.end(), closing))[1:]
        if any(self.text[first:last].lstrip().startswith(found["sampler"]) for first, last in others):
            return start, ""
        self.leads_on = True
        return found.end(), found["sampler"]

    def _alone(self, start: int, closing: int, sampler: str) -> Variable | None:
        """Return the one variable in braces that a sampler is for; other lone options are text."""
        start, end = self._stripped(start, closing)
        if not sampler or not _TOKEN.fullmatch(self.text, start, end):
            return None
        node = self.sequence(start, end)[0]
        if not isinstance(node, Variable):
            return None
        return Variable(node.name, node.sampler or sampler, node.parameters, node.source, node.key)

    def _joiner(self, start: int, closing: int) -> tuple[int, str | Nodes] | None:
        """Return where the options begin, and the text or the nodes that they are joined with."""
        for at in self._at_this_level("$$", start, closing):
            pipes = list(separators(self.text, start, at, self._closing))
            if len(pipes) > 1 and self.text[start:at].strip() != "|":
                return None
            if "$" in self.text[start:at].replace("${", "") or "}" in self.text[start:at].split("{")[0]:
                return None
            nodes = self.sequence(start, at)
            plain = all(isinstance(node, str) for node in nodes)
            return at + 2, "".join(node for node in nodes if isinstance(node, str)) if plain else nodes
        return None

    def _at_this_level(self, mark: str, start: int, end: int) -> Iterator[int]:
        """Yield the places of `mark` that stand in no brace of their own."""
        position = start
        while (at := self.text.find(mark, position, end)) >= 0:
            brace = self.text.find("{", position, at)
            if brace < 0:
                yield at
                position = at + len(mark)
            else:
                position = self._closing.get(brace, brace) + 1

    def _options(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield start and end of what stands between the pipes of this brace, not of those within it."""
        first = start
        for _, last in separators(self.text, start, end, self._closing):
            if last == end or self._tag_around(last)[0] < start:
                yield first, last
                first = last + 1

    def _copies(self, start: int, end: int, weight: float | None, *, strip: bool) -> Iterator[Option]:
        """Yield the option from `start` to `end`, as often as ``N#__name__`` says."""
        option = self._option(start, end, weight, strip=strip)
        node = option.nodes[0] if len(option.nodes) == 1 and "#__" in option.source else None
        if isinstance(node, Variant) and not node.source.startswith("{"):
            for copy in node.options:
                yield Option(copy.nodes, option.weight, copy.source)
        else:
            yield option

    def _option(self, start: int, end: int, weight: float | None, *, strip: bool) -> Option:
        if weight is None:
            weight = 1.0
            if found := WEIGHT.match(self.text, start, end):
                weight, start = float(found["weight"]), found.end()
        start, end = self._stripped(start, end, lines=not strip)
        return Option(self.sequence(start, end), weight, self.text[start:end].strip())

    def _stripped(self, start: int, end: int, *, lines: bool = False) -> tuple[int, int]:
        """Return both ends without the blanks there; with `lines` only if a line ends in these."""
        inner = self.text[start:end]
        if not inner or not (inner[0].isspace() or inner[-1].isspace()):
            return start, end
        bare = inner.strip()
        first = inner.index(bare[0]) if bare else 0
        last = first + len(bare)
        if lines and "\n" not in inner[:first] and "\n" not in inner[last:]:
            return start, end
        return start + first, start + last

    def _is_variable(self, name: str, start: int, end: int) -> bool:
        if not any(c == "*" or c.isalnum() for c in name):
            return False
        if any(not c.isascii() and unicodedata.category(c)[0] not in "LMN" for c in name):
            return False
        tag_start, tag_end = self._tag_around(start)
        return tag_start < 0 or (self.text[start - 1] == ":" and (end == tag_end or self.text[end] in ":>"))

    def _tag_around(self, position: int) -> tuple[int, int]:
        """Return start and end of the tag or embedding around `position`; -1, -1 outside of them."""
        index = bisect_right(self._tag_starts, position) - 1
        return self._tags[index] if index >= 0 and position < self._tags[index][1] else (-1, -1)

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)


def _identity(options: Iterable[Option]) -> str:
    return "{" + "|".join(sorted([option.source for option in options])) + "}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
