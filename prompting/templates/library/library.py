r"""Library: folders of files that hold the values of variables.

``color.txt`` (or ``.md``) is the variable ``__color__``, ``hair/style.txt`` is ``__hair/style__``. One value
a line; lines that begin with ``#`` are comments, those before the first value describe the variable; a
value that itself begins with ``#`` is written ``\#``. A value may begin with a weight (``0.5::fox``) and
may hold everything that a template may.

In ``.yaml`` and ``.json`` files the keys are the names, behind the folder of the file, as in Dynamic
Prompts: in ``girls.yaml`` ``hair: {style: [bob, bun]}`` is ``__hair/style__``, in ``sets/girls.yaml`` it is
``__sets/hair/style__``, and ``__hair/style__`` as in the Impact Pack. A file that is a plain list is named
after itself. In a ``.csv`` file the columns are the names behind that of the file. `structured` has the
details.

Where a name is found more than once, the own folder wins over the read-only ones, a folder over those
after it, and in one folder ``.txt`` over ``.md`` over ``.yaml`` and the others.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ....llm_backends.system.files import Reread
from ..parser import split_weight
from .contents import Contents, fold
from .encodings import decode
from .files import (
    SUFFIXES,
    is_lines,
    read_bytes,
    read_contents,
    save,
    to_comment,
    to_line,
    unreadable,
)
from .names import (
    FileUnreadable,
    LibraryError,
    ReadOnly,
    SaveFailed,
    VariableNotFound,
    check_name,
    is_name,
    is_pattern,
)
from .places import Place, has_tag, is_file, matches

# Two libraries on one folder may live in one process; saving is rare enough for one lock for all.
_saving = threading.RLock()


class Library:
    """Variables in `folder`, which need not exist yet, and in further read-only folders.

    Files are read again when they change, so an instance may live as long as the program. Safe to use from
    several threads. Every method raises only `LibraryError`.
    """

    def __init__(self, folder: Path, read_only: Sequence[Path] = ()) -> None:
        self.folder = Path(folder)
        self._roots = (self.folder, *(Path(root) for root in read_only))
        self._contents: Reread[Contents | LibraryError] = Reread()

    def names(self) -> list[str]:
        """Return all names, sorted, without unreadable files and names that no template can refer to."""
        return sorted({name for root in self._roots for name in self._names_in(root) if is_name(name)})

    def glob(self, pattern: str) -> list[str]:
        """Return the matching names, sorted: `*` is anything within a folder, `**` any number of folders."""
        check_name(pattern, pattern=True)
        return [name for name in self.names() if matches(name, pattern)]

    def exists(self, name: str) -> bool:
        """Tell whether there is a file (or a YAML list) for `name`, even an empty one."""
        check_name(name)
        return self._find(name) is not None

    def is_own(self, name: str) -> bool:
        """Tell whether the own folder has a file or YAML list for `name`, even one that cannot be read."""
        try:
            return is_name(name) and self._find_in(self.folder, name) is not None
        except LibraryError:
            return True

    def is_read_only(self, name: str) -> bool:
        """Tell whether `name` is only found where `write` and `delete` cannot reach it."""
        place = self._existing(name)
        return place.root != self.folder or not is_lines(place.path)

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values of `name` as they stand in its file, weights included."""
        place = self._existing(name)
        contents = self._read(place)
        return (contents.values or ()) if place.key is None else contents.named[place.key]

    def describe(self, name: str) -> str:
        """Return the comment at the head of the file of `name`; empty where there is none."""
        return self._read(self._existing(name)).description

    def similar(self, name: str) -> list[str]:
        """Return up to three names that may have been meant by `name`."""
        by_folded = {known.casefold(): known for known in self.names()}
        close = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)
        return [by_folded[folded] for folded in close]

    def meant(self, name: str) -> list[str]:
        """Return the names that `name` stands for.

        Itself, else those that are written alike but for capitals, else those of any folder; for a pattern
        its matches, else those in any folder.
        """
        if is_pattern(name):
            return self.glob(name) or self.glob(f"**/{name}")
        if self.exists(name):
            return [name]
        folded, names = name.casefold(), self.names()
        alike = [known for known in names if known.casefold() == folded]
        return alike or [known for known in names if known.casefold().endswith(f"/{folded}")]

    def tagged(self, query: str) -> list[str]:
        """Return the values of Umi's entries that ``<[tag][either|or][--not this]>`` asks for.

        With ``<file:[tag]>`` only those of that file. An entry's own name counts as one of its tags.
        """
        file, _, tags = query.strip("<>").rpartition(":")
        wanted = [part.casefold() for part in tags.strip("[]").split("][")]
        values: list[str] = []
        for place, contents in self._structured():
            if file and file.casefold() not in (place.own_name.casefold(), place.path.stem.casefold()):
                continue
            for key, own in contents.tags.items():
                if all(has_tag(own | {key.casefold()}, part) for part in wanted):
                    values += contents.named[key]
        return values

    def label(self, name: str) -> str:
        """Return the file of `name` within its folder; empty where there is none."""
        try:
            place = self._find(name)
        except LibraryError:
            return ""
        return place.label if place else ""

    def problems(self) -> list[str]:
        """Return one sentence for each structured file that cannot be read in whole."""
        found: list[str] = []
        for root in self._roots:
            for path in self._files(root):
                if not is_lines(path):
                    try:
                        contents = self._read(Place(path, root))
                    except LibraryError as error:
                        found.append(str(error))
                    else:
                        found += filter(None, [contents.problem])
        return found

    def signature(self, names: Iterable[str]) -> str:
        """Return a short text that changes when a file behind one of `names` changes, comes or goes.

        Names may be patterns. Looks at times and sizes and reads no values, so it is cheap enough for every
        run.
        """
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(set(names)):
            digest.update(f"{name}\0".encode())
            try:
                if name.startswith("<"):
                    files = [place for place, _ in self._structured()]
                else:
                    check_name(name, pattern=True)
                    files = [place for member in self.meant(name) if (place := self._find(member))]
                for place in files:
                    status = place.path.stat()
                    state = (str(place.path), place.key, status.st_mtime_ns, status.st_size)
                    digest.update(f"{state}\0".encode())
            except (LibraryError, OSError) as error:
                digest.update(f"{type(error).__name__}\0".encode())
        return digest.hexdigest()

    def add(self, name: str, values: Iterable[str], description: str = "") -> list[str]:
        """Append those `values` that `name` does not have yet, ignoring case and weight; return them.

        The values in the file stay. A new variable is ``<name>.txt``, headed by `description` (else by the
        name in plain words). One that only a read-only folder has is copied to the own folder first, so that
        it loses nothing. Values are saved as they are given: pass what a model wrote through
        `parser.literal_value`.
        """
        check_name(name)
        with _saving:
            place = self._find(name)
            known = {_identity(value) for value in (self.values(name) if place else ())}
            new: list[str] = []
            for value in map(fold, values):
                identity = _identity(value)
                if identity and identity not in known:
                    known.add(identity)
                    new.append(value)
            if not new:
                return []
            lines = list(map(to_line, new))
            if place is None:
                header = to_comment(description) or [f"# {name.replace('_', ' ')}"]
                self._save(name, None, _text([*header, *lines]))
            elif place.root != self.folder:
                header = to_comment(self.describe(name))
                before = map(to_line, self.values(name))
                self._save(name, None, _text([*header, *before, *lines]))
            else:
                path = self._writable(name, place)
                self._save(name, path, _append(read_bytes(path, place.label), lines))
            return new

    def write(self, name: str, values: Iterable[str], description: str | None = None) -> None:
        """Replace all values of `name`, in the own folder, by `values`.

        `description` None keeps the old one.
        """
        check_name(name)
        with _saving:
            place = self._find(name)
            own = self._writable(name, place) if place and place.root == self.folder else None
            if description is None:
                description = self._read(place).description if place else ""
            lines = [to_line(value) for value in map(fold, values) if value]
            self._save(name, own, _text([*to_comment(description), *lines]))

    def delete(self, name: str) -> None:
        """Delete the file of `name` in the own folder; one in a read-only folder that it hid shows again."""
        with _saving:
            place = self._existing(name)
            if place.root != self.folder:
                raise ReadOnly(
                    f"`{name}` was not deleted: {place.label} is in a read-only folder; delete it there."
                )
            self._writable(name, place)
            try:
                place.path.unlink()
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise SaveFailed(
                    f"`{place.label}` was not deleted ({reason}); check its permissions."
                ) from None

    def _existing(self, name: str) -> Place:
        check_name(name)
        place = self._find(name)
        if place is None:
            meant = " or ".join(f"`{known}`" for known in self.similar(name))
            hint = f"did you mean {meant}?" if meant else f"create {name}.txt there."
            raise VariableNotFound(f"There is no variable `{name}` in the library; {hint}")
        return place

    def _find(self, name: str) -> Place | None:
        return next(filter(None, (self._find_in(root, name) for root in self._roots)), None)

    def _find_in(self, root: Path, name: str) -> Place | None:
        for suffix in SUFFIXES:
            for written in (suffix, suffix.upper()):
                place = Place(root / f"{name}{written}", root)
                if is_file(place) and self._is_whole(place):
                    return place
        for path in self._files(root):
            place = Place(path, root)
            if is_lines(path):
                if path.suffix.lower() != path.suffix and place.own_name == name:
                    return place
            elif name in (named := self._named(place)):
                return Place(path, root, name)
            elif (key := place.key_of(name)) in named:
                return Place(path, root, key)
        return None

    def _is_whole(self, place: Place) -> bool:
        """Tell whether the file is one variable."""
        if not self._is_inside(place.path):
            raise FileUnreadable(
                f"`{place.label}` is a link that points outside the library, so it is not read; put the "
                "file itself there, or add its folder to LIBRARY_DIRS."
            )
        return is_lines(place.path) or self._read(place).values is not None

    def _names_in(self, root: Path) -> Iterator[str]:
        for path in self._files(root):
            place = Place(path, root)
            if is_lines(path):
                yield place.own_name
                continue
            try:
                contents = self._read(place)
            except LibraryError:
                continue
            if contents.values is not None:
                yield place.own_name
            yield from map(place.full_name, contents.named)

    def _structured(self) -> Iterator[tuple[Place, Contents]]:
        for root in self._roots:
            for path in self._files(root):
                if not is_lines(path):
                    with suppress(LibraryError):
                        yield Place(path, root), self._read(Place(path, root))

    def _named(self, place: Place) -> dict[str, tuple[str, ...]]:
        """Return the lists of a structured file by name; one that cannot be read spoils no other."""
        try:
            return self._read(place).named
        except LibraryError:
            return {}

    def _files(self, root: Path) -> Iterator[Path]:
        """Return all files below `root` that may hold values, without hidden ones and links that lead out."""
        seen: set[str] = set()
        for folder, subfolders, files in os.walk(root, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen or not self._is_inside(Path(folder)):
                subfolders.clear()
                continue
            seen.add(real)
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(files):
                path = Path(folder, name)
                if path.suffix.lower() not in SUFFIXES or name.startswith("."):
                    continue
                if not path.is_symlink() or self._is_inside(path):
                    yield path

    def _is_inside(self, path: Path) -> bool:
        real = path.resolve()
        return any(real.is_relative_to(root.resolve()) for root in self._roots)

    def _read(self, place: Place) -> Contents:
        try:
            found = self._contents.get(place.path, lambda path: _outcome(path, place.label))
        except OSError as error:
            raise unreadable(place.label, error) from None
        if isinstance(found, LibraryError):
            raise type(found)(str(found))
        return found

    def _writable(self, name: str, place: Place) -> Path:
        """Return the file to write instead of `place`, which is in the own folder."""
        if not is_lines(place.path):
            raise ReadOnly(f"`{name}` was not changed: it is defined in {place.label}; edit that file.")
        real = place.path.resolve()
        if not real.is_relative_to(self.folder.resolve()):
            raise ReadOnly(
                f"`{name}` was not changed: {place.label} is a link that points outside the library folder."
            )
        return real

    def _save(self, name: str, path: Path | None, data: bytes) -> None:
        if path is None:
            path = self.folder / f"{name}.txt"
            if not path.parent.resolve().is_relative_to(self.folder.resolve()):
                raise ReadOnly(
                    f"`{name}` was not saved: its folder is a link that points outside the library folder."
                )
        save(path, data, f"{name}{path.suffix}")


def _outcome(path: Path, label: str) -> Contents | LibraryError:
    try:
        return read_contents(path, label)
    except LibraryError as error:
        return error.with_traceback(None)


def _identity(value: str) -> str:
    return split_weight(value)[1].casefold()


def _append(data: bytes, lines: Sequence[str]) -> bytes:
    text, encoding = decode(data)
    line_end = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith(("\n", "\r")):
        text += line_end
    text += line_end.join([*lines, ""])
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode()


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
