r"""The syntax of templates: variables, variants, weights; and what is left alone.

==========================  ==================================================================
``__name__``                a value of the variable `name`; `sub/name`, and `*` and `**` as in a glob
``{a|b}``                   one of the options; an option may be empty, and hold anything of this table
``{0.5::a|2::b}``           the same with weights; 1 where none is given
``{2$$a|b|c}``              two different options, joined with ", "
``{1-3$$ and $$a|b|c}``     one to three, joined with " and "; `-3` and `1-` leave a bound open
``{2$$__name__}``           two different values of one variable
``\{ \} \| \_``             the character itself
==========================  ==================================================================

Everything else is text and stays as it is, byte for byte: braces without a ``|`` or ``$$``, JSON objects
(a brace followed by ``"key":``; what stands inside is still read), weights such as ``(word:1.2)``, names
in ``<lora:…>`` and ``embedding:…``. Inside those two a variable counts only where it fills a whole field:
``<lora:__style__:0.8>`` has one, ``<lora:my__style__v2:0.8>`` has none. What looks like syntax and is not
(a brace without its partner) stays too, with a warning, and so does what only others know: Dynamic Prompts'
``${name=…}`` and ``${name}``, ``%{…$$…}``, ``{@a|b}`` (also with ``~`` and ``!``), ``__name(parameter=…)__``.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

DEFAULT_JOINER = ", "
MAX_BRACE_DEPTH = 30

Nodes: TypeAlias = "tuple[Node, ...]"
Node: TypeAlias = "str | Variable | Variant"


@dataclass(frozen=True, slots=True)
class Variable:
    """Place for a value of the variable `name` (without its underscores)."""

    name: str


@dataclass(frozen=True, slots=True)
class Option:
    nodes: Nodes
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Variant:
    """Choice of `least` to `most` of `options` (`most` None: all of them), joined with `joiner`.

    `joiner` is None for a plain ``{a|b}``, whose options keep the blanks around them. `source` is what
    stands in the template, braces and all.
    """

    options: tuple[Option, ...]
    least: int = 1
    most: int | None = 1
    joiner: str | None = None
    source: str = field(default="", compare=False)

    @property
    def variable(self) -> Variable | None:
        """Variable whose values are meant, for ``{2$$__name__}``."""
        if self.joiner is None or len(self.options) != 1 or len(self.options[0].nodes) != 1:
            return None
        node = self.options[0].nodes[0]
        return node if isinstance(node, Variable) else None


@dataclass(frozen=True, slots=True)
class Template:
    nodes: Nodes
    warnings: tuple[str, ...] = ()


# Letters beyond ASCII are checked by category afterwards: `\w` matches no combining marks, and without
# them there are no names in Hindi or Thai.
_NAME = r"(?:[A-Za-z0-9*./]|[^\x00-\x7f])(?:[A-Za-z0-9*./ \-]|[^\x00-\x7f]|_(?!_))*?(?<![ _])"
_TOKEN = re.compile(rf"\\[{{}}|_]|[{{}}]|__(?P<name>{_NAME})__|__{_NAME}\([^()\n]*\)__")
_BRACE = re.compile(r"\\[{}|_]|[{}]")
_PIPE = re.compile(r"\\[{}|_]|[{|]")
_TAG = re.compile(r"<[A-Za-z][\w-]*:[^<>\n]*>|(?<!\w)embedding:[^\s,(){}\[\]<>|]+", re.IGNORECASE)
_JSON_OBJECT = re.compile(r'\s*"(?:[^"\\]|\\.)*"\s*:')
# Syntax that only Dynamic Prompts knows: its own variables, text wrapped in text, a way of choosing.
_ACCESS = re.compile(r"\{\s*[^\W\d][\w-]*\s*(?:\??=|[:}])")
_WRAP = re.compile(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\$\$")
_METHOD = re.compile(r"\{\s*[@~!]")
_BOUNDS = re.compile(r" ?(?:(?P<low>\d{1,6}) ?(?P<dash>- ?(?P<high>\d{1,6})?)?|- ?(?P<upto>\d{1,6})) ?\$\$")
_JOINER = re.compile(r"(?P<joiner>[^{}$|]*|\s*\|\s*)\$\$")
_LOOSE_BOUNDS = re.compile(r"[^{}|]*\$\$")
_WEIGHT = re.compile(r"\s*(?P<weight>\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*::")
_NEEDS_ESCAPE = re.compile(r"[{}|]|_(?=_)|(?<=_)_|(?<=\\)_")
_MAY_HOLD_SYNTAX = re.compile(r"[{}\\]|__")


def parse(text: str) -> Template:
    """Return the nodes of `text`.

    Never fails: what is not syntax is text, with a warning where it nearly is.
    """
    if not _MAY_HOLD_SYNTAX.search(text):
        return Template((text,) if text else ())
    parser = _Parser(text)
    nodes = parser.sequence(0, len(text))
    return Template(nodes, tuple(parser.warnings))


def split_weight(value: str) -> tuple[float, str]:
    """Return weight and text of a library value: ``0.5::fox`` is (0.5, "fox"), ``fox`` is (1.0, "fox")."""
    found = _WEIGHT.match(value)
    if not found:
        return 1.0, value
    return float(found["weight"]), value[found.end() :].strip()


def literal(text: str) -> str:
    """Escape `text` so that, put into a template, it comes out as it is."""
    return _NEEDS_ESCAPE.sub(r"\\\g<0>", text)


def literal_value(text: str) -> str:
    """Escape `text` for a line of a library file, as is done with what a model wrote."""
    return ("1::" if _WEIGHT.match(text) else "") + literal(text)


def references(nodes: Nodes) -> Iterator[str]:
    """Return the names of all variables in `nodes`, in order, as often as they stand there."""
    for node in nodes:
        if isinstance(node, Variable):
            yield node.name
        elif isinstance(node, Variant):
            for option in node.options:
                yield from references(option.nodes)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.warnings: list[str] = []
        self._closing = self._match_braces()
        self._tags = [found.span() for found in _TAG.finditer(text)]
        self._tag_starts = [start for start, _ in self._tags]

    def sequence(self, start: int, end: int) -> Nodes:
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
        while found := _TOKEN.search(self.text, position, end):
            at, piece = found.start(), found[0]
            put(self.text[position:at])
            position = found.end()
            if piece[0] == "\\":
                put(piece[1])
            elif piece == "{" and at in self._closing:
                position = self._closing[at] + 1
                put(*self._brace(at, position - 1))
            elif found["name"] is None:
                put(piece)
                if piece[0] == "_":
                    self._warn(
                        f"Parameters of variables are not supported: `{_short(piece)}` stays as it is."
                    )
            elif self._is_variable(found["name"], at, position):
                put(Variable(found["name"]))
            else:
                # The closing underscores may open the next variable.
                position = at + 2
                put(self.text[at:position])
        put(self.text[position:end])
        if text := "".join(pending):
            nodes.append(text)
        return tuple(nodes)

    def _brace(self, opening: int, closing: int) -> Nodes:
        text, inner = self.text, self.text[opening : closing + 1]
        before = text[opening - 1] if opening else ""
        if before == "$" and _ACCESS.match(text, opening, closing + 1):
            self._warn(f"`${_short(inner)}` stays as it is: templates cannot set variables.")
            return (inner,)
        if before == "%" and _WRAP.match(text, opening, closing):
            self._warn(f"`%{_short(inner)}` stays as it is: templates cannot wrap texts.")
            return (inner,)
        variant = None if _JSON_OBJECT.match(text, opening + 1, closing) else self._variant(opening, closing)
        return (variant,) if variant else ("{", *self.sequence(opening + 1, closing), "}")

    def _variant(self, opening: int, closing: int) -> Variant | str | None:
        """Return the variant between two braces, a text where they nearly are one, None where they are not.

        With None, what stands between the braces is read all the same.
        """
        start, least = opening + 1, 1
        most: int | None = 1
        joiner: str | None = None
        if bounds := _BOUNDS.match(self.text, start, closing):
            start, least, joiner = bounds.end(), int(bounds["low"] or 1), DEFAULT_JOINER
            upper = bounds["upto"] or bounds["high"] or (None if bounds["dash"] else bounds["low"])
            most = int(upper) if upper else None
            if found := _JOINER.match(self.text, start, closing):
                start, joiner = found.end(), found["joiner"]
            problem = "" if self.text[start:closing].strip() else "has no options"
        else:
            problem = (
                "has no number before its `$$`" if _LOOSE_BOUNDS.match(self.text, start, closing) else ""
            )
        ranges = list(self._options(start, closing))
        if not problem and joiner is None and len(ranges) == 1:
            return None
        if method := _METHOD.match(self.text, opening, closing):
            problem = f"has a `{method[0][-1]}`, which templates do not know"
        if problem:
            source = self.text[opening : closing + 1]
            self._warn(f"`{_short(source)}` {problem}, so it stays as it is.")
            return source
        if most is not None and most < least:
            self._warn(f"`{_short(self.text[opening : closing + 1])}` is read as {most} to {least}.")
            least, most = most, least
        options = tuple(self._option(first, last, strip=joiner is not None) for first, last in ranges)
        return Variant(options, least, most, joiner, self.text[opening : closing + 1])

    def _options(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield start and end of what stands between the pipes of this brace, not of those within it."""
        option_start = position = start
        while found := _PIPE.search(self.text, position, end):
            at, position = found.start(), found.end()
            if found[0] == "{":
                position = self._closing.get(at, at) + 1
            elif found[0] == "|" and self._tag_around(at)[0] < start:
                yield option_start, at
                option_start = position
        yield option_start, end

    def _option(self, start: int, end: int, *, strip: bool) -> Option:
        weight = 1.0
        if found := _WEIGHT.match(self.text, start, end):
            weight, start = float(found["weight"]), found.end()
        if strip:
            inner = self.text[start:end]
            start += len(inner) - len(inner.lstrip())
            end = max(start, start + len(inner.strip()))
        return Option(self.sequence(start, end), weight)

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

    def _match_braces(self) -> dict[int, int]:
        """Map opening to closing braces. Those without a partner, or nested too deep, are left out: text."""
        closing: dict[int, int] = {}
        open_braces: list[int] = []
        lonely: list[int] = []
        too_deep = False
        for found in _BRACE.finditer(self.text):
            if found[0] == "{":
                open_braces.append(found.start())
            elif found[0] == "}":
                if not open_braces:
                    lonely.append(found.start())
                elif len(open_braces) > MAX_BRACE_DEPTH:
                    open_braces.pop()
                    too_deep = True
                else:
                    closing[open_braces.pop()] = found.start()
        lonely = sorted(lonely + open_braces)
        if lonely:
            self._warn(
                f"The `{self.text[lonely[0]]}` at character {lonely[0] + 1} has no partner, so it stays as "
                "it is; write a backslash before it if that is meant."
            )
        if too_deep:
            self._warn(f"Braces nested more than {MAX_BRACE_DEPTH} deep stay as they are.")
        return closing

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
