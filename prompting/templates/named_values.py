"""Lists of values that are handed to a template, and the variables that they are for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from .library import is_pattern, matches
from .resolve import TemplateError

Lists = dict[str, list[str]]


class UnclearValues(TemplateError):
    """Error for values that are not texts, or that could be for several variables."""

    type: ClassVar[str] = "unclear_values"


class NamedText(str):
    """Text that knows the variable it was written for, and the values that it stands for.

    To everything else it is a plain text. Operations that make a new text of it lose the name.
    """

    variable: str
    values: tuple[str, ...]

    def __new__(cls, text: str, variable: str, values: Iterable[str]) -> NamedText:
        self = super().__new__(cls, text)
        self.variable = variable
        self.values = tuple(values)
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self.variable, self.values


def name_values(
    given: Iterable[Any], names: Sequence[str], has_values: Callable[[str], bool]
) -> tuple[Lists, list[str]]:
    """Return the lists in `given` by variable, and warnings about those that no variable in `names` wants.

    An item of `given` is what one wire brings: texts, lists of texts, mappings of such lists by name, or
    JSON of these; one lone text has a value on each line. Lists of one name are joined. A list without a
    name is for the only variable of `names` that has no values yet, else for the only one.

    Raises `UnclearValues`.
    """
    named: Lists = {}
    nameless: list[str] = []
    for item in given:
        _collect(item, named, nameless)
    lists: Lists = {}
    warnings = []
    for name, values in named.items():
        meant = _meant(name, names)
        if meant is not None:
            _add(lists, meant, values)
        elif values:
            warnings.append(
                f"The values for __{_plain(name)}__ were not used: the template has no variable of that name."
            )
    if nameless:
        free = [name for name in names if name not in lists and not is_pattern(name)]
        lacking = [name for name in free if not has_values(name)]
        target = lacking if len(lacking) == 1 else free
        if len(target) > 1:
            raise UnclearValues(_which(target))
        if target:
            _add(lists, target[0], nameless)
        else:
            warnings.append("A list of values was not used: the template has no variable for it.")
    return lists, warnings


def _collect(item: Any, named: Lists, nameless: list[str], alone: bool = True) -> None:
    """Add the values of `item`.

    A text that comes `alone` has a value on each line; of several texts each is one value.
    """
    if isinstance(item, NamedText):
        _add(named, item.variable, item.values)
    elif isinstance(item, str):
        content = _from_json(item)
        if content is not None:
            _collect(content, named, nameless)
        else:
            texts = item.splitlines() if alone else [item]
            nameless += filter(None, (" ".join(text.split()) for text in texts))
    elif isinstance(item, Mapping):
        for name, values in item.items():
            own: list[str] = []
            _collect(values, named, own)
            _add(named, str(name), own)
    elif isinstance(item, list | tuple):
        for one in item:
            _collect(one, named, nameless, alone=len(item) == 1)
    elif isinstance(item, int | float):
        nameless.append(str(item))
    elif item is not None:
        raise UnclearValues(
            f"values accepts texts and lists of texts, not {type(item).__name__}. Connect the values "
            "output of Generate Variables to it."
        )


def _from_json(text: str) -> Any:
    """Return the list or the mapping that `text` holds as JSON, else None."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _add(lists: Lists, name: str, values: Iterable[str]) -> None:
    known = lists.setdefault(name, [])
    known += [value for value in dict.fromkeys(values) if value not in known]


def _meant(name: str, names: Sequence[str]) -> str | None:
    """Return the name under which the template asks for `name`, None where it does not.

    That is a name that reads the same (“Winter coat” is `winter_coat`), else `name` itself where a pattern
    matches it.
    """
    if name in names:
        return name
    plain = _plain(name)
    alike = (known for known in names if _plain(known) == plain)
    bare = name.strip().strip("_")
    asked = bare if any(is_pattern(known) and matches(bare, known) for known in names) else None
    return next(alike, asked)


def _plain(name: str) -> str:
    return name.strip().strip("_").replace(" ", "_").replace("-", "_").casefold()


def _which(names: Sequence[str]) -> str:
    shown = ", ".join(f"__{name}__" for name in names[:4])
    example = json.dumps({names[0]: ["…"]}, ensure_ascii=False)
    return (
        "A list connected to values has no name, and the template has several variables that it "
        f"could be for ({shown}). Connect it from Generate Variables, or enter it as JSON such as "
        f"{example}."
    )
