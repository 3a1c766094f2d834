"""Source of the choices of a template: the library, the values handed in, and the template's own variants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn, cast

from .errors import TooLarge, UnknownVariable
from .library import InvalidName, Library, LibraryError, check_name, is_pattern, matches
from .nodes import COMBINATIONS, Nodes, Variable, Variant, every, flat, mentioned
from .parser import MAY_HOLD_SYNTAX, parse, split_weight
from .picking import Choices

_MAX_WARNINGS = 20
_MAX_CHAIN = 20
_CIRCULAR = "all its values refer back to itself"


class Source:
    """Source of choices, each read once. With `distinct` a value that stands twice in a file counts once.

    A file that cannot be read, or a value that refers back to itself, costs a warning: what is left of the
    choices counts, and a variable without any stays as it stands.
    """

    def __init__(
        self,
        library: Library | None,
        extra_values: Mapping[str, Sequence[str]],
        *,
        leave_unknown: bool = False,
        distinct: bool = False,
    ) -> None:
        self._library = library
        self._extra = extra_values
        self._leave_unknown = leave_unknown
        self._distinct = distinct
        self._of_variables: dict[str, Choices | None] = {}
        self._of_variants: dict[int, tuple[Variant, Choices]] = {}
        self._circular: set[str] = set()
        # Ids of the contents that lead to no variable; the choices hold on to them.
        self._inert: set[int] = set()
        self.combines = False
        self.warnings: list[str] = []
        # Dicts serve as sets that keep their order.
        self.reached: dict[str, None] = {}
        self.used: dict[str, None] = {}
        self.only_extra: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        self.left: dict[str, None] = {}

    def warn(self, warnings: Iterable[str]) -> None:
        for warning in warnings:
            if warning not in self.warnings and len(self.warnings) < _MAX_WARNINGS:
                self.warnings.append(warning)

    def choices(self, node: Variable | Variant) -> Choices:
        """Return the choices of `node`. All variables have been surveyed before, so there are some."""
        if isinstance(node, Variable):
            return cast(Choices, self._of_variables[node.name])
        known = self._of_variants.get(id(node))
        if known is None:
            if variable := node.variable:
                choices = self.choices(variable)
                choices = choices if choices.whole else choices.distinct()
            else:
                weights = [option.weight for option in node.options]
                weighted = any(weight != 1.0 for weight in weights)
                names = [option.source for option in node.options]
                choices = Choices(
                    [flat(option.nodes) for option in node.options],
                    weights if weighted else None,
                    names=names,
                )
            known = self._of_variants[id(node)] = (node, choices)
        return known[1]

    def knows(self, name: str) -> bool:
        """Tell whether there are values for `name`, whatever the template says."""
        if name in self._extra:
            return True
        try:
            return self._library is not None and bool(self._library.meant(name))
        except LibraryError:
            return False

    def survey(self, nodes: Nodes, chain: tuple[str, ...] = ()) -> bool:
        """Read every variable that `nodes` lead to; those without values end up in `unknown`.

        Returns False where one of them leads back to the last of `chain`.
        """
        usable = True
        for node in every(nodes):
            if isinstance(node, Variable):
                usable = self._survey_variable(node, chain) and usable
            if isinstance(node, Variable | Variant) and node.sampler == COMBINATIONS:
                self.combines = True
        return usable

    def _survey_variable(self, variable: Variable, chain: tuple[str, ...]) -> bool:
        name = variable.name
        self.reached[name] = None
        if name in chain:
            self._warn_of_circle((*chain[chain.index(name) :], name))
            return False
        if len(chain) >= _MAX_CHAIN:
            shown = " → ".join(f"__{link}__" for link in chain[:3])
            raise TooLarge(
                f"Variables are nested more than {_MAX_CHAIN} deep ({shown} → …). Simplify the values."
            )
        if name in self._of_variables:
            if name in self._circular and not chain:
                self._leave(variable, _CIRCULAR)
            return name not in self._circular
        try:
            choices = self._read(name)
        except InvalidName as error:
            if not (variable.doubtful or self._leave_unknown or chain):
                raise
            self._leave(variable, str(error).rstrip("."))
            return True
        if name in self.left:
            return True
        if choices is None and variable.doubtful:
            self._leave(variable)
            return True
        if choices is not None:
            choices = self._without_circles(choices, (*chain, name))
            if choices is None:
                self._circular.add(name)
                self._of_variables[name] = Choices([""], whole=True)
                if not chain:
                    self._leave(variable, _CIRCULAR)
                return False
        else:
            self.unknown[name] = None
        self._of_variables[name] = choices
        return True

    def _without_circles(self, choices: Choices, chain: tuple[str, ...]) -> Choices | None:
        """Return the `choices` that lead to none in `chain`, None where all do."""
        bad = {
            place
            for place, content in enumerate(choices.contents)
            if not isinstance(content, str)
            and id(content) not in self._inert
            and not self.survey(content, chain)
        }
        if not bad:
            return choices
        kept = [place for place in range(len(choices)) if place not in bad]
        weights = choices.weights()
        contents = choices.contents
        return Choices([contents[i] for i in kept], [weights[i] for i in kept]) if kept else None

    def _warn_of_circle(self, circle: Sequence[str]) -> None:
        shown = " → ".join(f"__{name}__" for name in circle)
        file = self._library.label(circle[-2]) if self._library else ""
        self.warn(
            [
                f"A variable refers back to itself: {shown}; the values that do so were left out, remove them"
                f"{f' from {file}' if file else ''}."
            ]
        )

    def leave_unknown(self) -> None:
        for name in list(self.unknown):
            self._leave(Variable(name))

    def _leave(self, variable: Variable, reason: str = "") -> None:
        """Let `variable` stand in the prompts as it stands in the template."""
        name = variable.name
        self.left[name] = None
        self._of_variables[name] = Choices([""], whole=True)
        if name[0] != "<" or ":" not in name:
            self.warn([f"{variable.text} stays as it is: {reason or self._lack(name)}."])

    def _lack(self, name: str) -> str:
        known = self._library.similar(name) if self._library else []
        meant = " or ".join(f"__{one}__" for one in known)
        return "the library has no values for it" + (f" (did you mean {meant}?)" if meant else "")

    def _read(self, name: str) -> Choices | None:
        if name[0] != "<":
            check_name(name, pattern=True)
        if extra := self._extra.get(name):
            if self._library is None or is_pattern(name) or not self._library.exists(name):
                self.only_extra[name] = None
            return Choices(list(extra))
        handed_in = [one for one in self._extra if is_pattern(name) and matches(one, name)]
        contents: list[str | Nodes] = [value for one in handed_in for value in self._extra[one]]
        weights: list[float] = [1.0] * len(contents)
        if self._library is not None:
            self.used[name] = None
            self._read_files(self._library, name, handed_in, contents, weights)
        if not contents:
            return None
        choices = Choices(contents, weights if any(weight != 1.0 for weight in weights) else None)
        return choices.distinct() if self._distinct else choices

    def _read_files(
        self,
        library: Library,
        name: str,
        handed_in: Sequence[str],
        contents: list[str | Nodes],
        weights: list[float],
    ) -> None:
        """Add what the library's files have for `name`, except those that `handed_in` stands in for."""
        unread: list[str] = []
        if name[0] == "<":
            self.warn(library.problems())
            lists: list[tuple[str, Sequence[str]]] = [(name, library.tagged(name))]
        else:
            lists = []
            for member in self._members(library, name, unread):
                try:
                    if member not in handed_in:
                        lists.append((member, library.values(member)))
                except LibraryError as error:
                    unread.append(str(error))
        for member, lines in lists:
            for line in lines:
                weight, text = split_weight(line) if "::" in line else (1.0, line)
                weights.append(weight)
                contents.append(self._content(text, member) if MAY_HOLD_SYNTAX.search(text) else text)
        self.warn(unread)
        if unread and not contents and not is_pattern(name):
            self._leave(Variable(name), "its file cannot be read")

    def _members(self, library: Library, name: str, unread: list[str]) -> Sequence[str]:
        """Return the names whose values are meant by `name`; errors of files go to `unread`."""
        if is_pattern(name):
            unread += library.problems()
        try:
            members = library.meant(name)
        except LibraryError as error:
            unread.append(str(error))
            return []
        if not is_pattern(name) and any(one.casefold() != name.casefold() for one in members):
            shown = ", ".join(f"__{one}__" for one in members[:3])
            self.warn([f"__{name}__ is read as {shown}{' …' if len(members) > 3 else ''}."])
        return members

    def _content(self, text: str, name: str) -> str | Nodes:
        parsed = parse(text)
        if parsed.warnings:
            self.warn([f"In a value of __{name}__: {warning}" for warning in parsed.warnings])
        content = flat(parsed.nodes)
        if not parsed.leads_on:
            self._inert.add(id(content))
        return content

    def settle_unknown(self) -> None:
        """Leave names without values to others, or raise `UnknownVariable`."""
        if self._leave_unknown:
            self.leave_unknown()
        elif self.unknown:
            self.refuse(list(self.unknown))

    def refuse(self, names: Sequence[str]) -> NoReturn:
        problems = self._library.problems() if self._library else []
        if len(names) == 1:
            message = self._sentence_for(names[0])
        else:
            shown = ", ".join(f"__{name}__" for name in names)
            message = (
                f"The library has no values for {shown}. Create a .txt file for each, with one value per "
                "line, or turn on generate_missing."
            )
        raise UnknownVariable(" ".join([message, *problems[:2]]), names)

    def _sentence_for(self, name: str) -> str:
        if self._library is None:
            return f"There is no library that could have __{name}__. Set LOCAL_LIBRARY_DIR, or remove it."
        if is_pattern(name):
            return f"No library file with values matches __{name}__. Correct the pattern."
        if self._library.exists(name):
            return (
                f"The variable __{name}__ has no values yet. Add some to its file, one per line, or turn "
                "on generate_missing."
            )
        meant = " or ".join(f"__{known}__" for known in self._library.similar(name))
        question = f" (did you mean {meant}?)" if meant else ""
        return (
            f"There is no variable __{name}__ in the library{question}. Create {name}.txt there with "
            "one value per line, or turn on generate_missing."
        )


def names_in(nodes: Nodes) -> list[str]:
    """Return the names (and patterns) in `nodes`, each once, without what may be prose."""
    return list(dict.fromkeys(node.name for node in mentioned(nodes) if not node.doubtful))
