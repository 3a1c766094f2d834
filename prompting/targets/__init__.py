"""Image and video models as targets: one YAML file each, the user's own beside ours.

`index` only reads the first lines of the files; YAML is parsed when a target is loaded.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ..target_index import (
    OUR_FOLDER,
    USER_GROUP,
    TargetEntry,
    TargetFile,
    files_in,
    index,
    our_files,
    slug,
    squash,
)
from .checks import BrokenTarget, line_of
from .examples import example_files, examples_for
from .fitting import fit_negative, fit_prompt
from .schema import Target, build, check_fields, merge_fields

__all__ = [
    "BrokenTarget",
    "Target",
    "TargetEntry",
    "UnknownTarget",
    "fit_negative",
    "fit_prompt",
    "for_encoder",
    "for_file",
    "index",
    "load",
    "search",
]

MAX_BYTES = 256 * 1024


class UnknownTarget(ValueError):
    """Error for a name that no target has. The text lists close ones and says how to add one."""


def load(id: str, user_folder: Path | None = None) -> Target:
    """Load the target named `id`; its label or an alias will do as well.

    Raises `UnknownTarget`, or `UnreadableYaml` (of which `BrokenTarget` is one) where its file is bad.
    """
    files = _files(user_folder)
    found = _find(id, files, user_folder)
    if found is None:
        message = _unknown(id, user_folder)
        raise UnknownTarget(message[0].upper() + message[1:])
    return _load(found, files, user_folder)


def search(words: str, user_folder: Path | None = None) -> tuple[TargetEntry, ...]:
    """Return the targets whose id, label, group or aliases contain each of `words`, in `index` order."""
    wanted = [squashed for word in words.split() if (squashed := squash(word))]

    def matches(entry: TargetEntry) -> bool:
        hay = squash(f"{entry.id} {entry.label} {entry.group} {' '.join(entry.aliases)}")
        return all(word in hay for word in wanted)

    return tuple(entry for entry in index(user_folder) if matches(entry))


def for_file(name: str, user_folder: Path | None = None) -> Target | None:
    """Return the target of a checkpoint by its file's `name`, None where that does not tell."""
    return _named(name, _readable(user_folder))


def for_encoder(
    encoder: str, tokenizer: str = "", user_folder: Path | None = None, file: str = ""
) -> Target | None:
    """Return the target for a ComfyUI `clip`, None where its model is not known.

    `encoder` is the class of ``clip.cond_stage_model`` as ``module.qualname``, `tokenizer` that of
    ``clip.tokenizer``: some models differ only in the tokenizer, so it is tried first. Of those that fit, the
    one that the checkpoint's `file` names is meant. Else the most specific entry of `encoders` decides, among
    equals `encoder_default`, then the user's own target. A broken file of the user's is skipped.
    """
    targets = _readable(user_folder)
    spellings = [one for path in (tokenizer, encoder) for one in _spellings(path)]
    fitting = [
        (target, is_user)
        for target, is_user in targets
        if any(f"{one}.".startswith(f"{known}.") for one in spellings for known in target.encoders)
    ]
    if (named := _named(file, fitting)) is not None:
        return named
    for class_path in (tokenizer, encoder):
        for spelling in _spellings(class_path):
            best: tuple[tuple[int, bool, bool], Target] | None = None
            for target, is_user in targets:
                fits = [len(known) for known in target.encoders if f"{spelling}.".startswith(f"{known}.")]
                rank = (max(fits, default=0), target.encoder_default, is_user)
                if fits and (best is None or rank > best[0]):
                    best = (rank, target)
            if best is not None:
                return best[1]
    return None


def _readable(user_folder: Path | None) -> list[tuple[Target, bool]]:
    """Return all targets, each with whether it is the user's; a broken file of the user's is skipped."""
    found = []
    files = _files(user_folder)
    for file in files.values():
        is_user = file.path.parent != OUR_FOLDER
        try:
            found.append((_load(file, files, user_folder), is_user))
        except ValueError:
            if not is_user:
                raise
    return found


def _named(file: str, among: Sequence[tuple[Target, bool]]) -> Target | None:
    """Return the one whose `files` has the longest word that is in the name of `file`."""
    name = squash(file.replace("\\", "/").rpartition("/")[2])
    ranked = [
        (max((len(word) for word in map(squash, target.files) if word in name), default=0), is_user, target)
        for target, is_user in among
    ]
    best = max(ranked, key=lambda one: one[:2], default=None)
    return best[2] if best is not None and best[0] else None


def _spellings(class_path: str) -> list[str]:
    # Most encoders are made inside a factory, "module.te.<locals>.Name"; some callers say "module.Name".
    outer, inside, name = class_path.partition(".<locals>.")
    if not inside:
        return [class_path] if class_path else []
    return [f"{outer}.{name}", f"{outer.rpartition('.')[0]}.{name}"]


def _files(user_folder: Path | None) -> dict[str, TargetFile]:
    files = {file.id: file for file in our_files()}
    if user_folder is not None:
        files.update((file.id, file) for file in files_in(user_folder))
    return files


def _find(name: str, files: dict[str, TargetFile], user_folder: Path | None) -> TargetFile | None:
    found = files.get(slug(name))
    if found is not None:
        return found
    squashed = squash(name)
    named = [
        entry.id
        for entry in index(user_folder)
        if squashed and squashed in map(squash, (entry.label, *entry.aliases))
    ]
    return files.get(named[0]) if len(named) == 1 else None


def _load(file: TargetFile, files: dict[str, TargetFile], user_folder: Path | None) -> Target:
    return _built(file, tuple(files.values()), example_files(user_folder), user_folder)


@lru_cache(maxsize=256)
def _built(
    file: TargetFile,
    files: tuple[TargetFile, ...],
    examples: tuple[TargetFile, ...],
    user_folder: Path | None,
) -> Target:
    by_id = {each.id: each for each in files}
    target = build(file.id, _merged(file, by_id, user_folder, ()), file.path)
    return replace(target, examples=examples_for(target, examples))


def _merged(
    file: TargetFile, files: dict[str, TargetFile], user_folder: Path | None, below: tuple[TargetFile, ...]
) -> dict[str, object]:
    own = _checked(file)
    listed = next((entry for entry in index(user_folder) if entry.id == file.id), None)
    nameless: dict[str, object] = {
        "group": listed.group if listed else USER_GROUP,
        "label": listed.label if listed else file.id,
        "aliases": listed.aliases if listed else (),
    }
    if "extends" not in own:
        return merge_fields(nameless, own)
    parent = str(own["extends"])
    line = line_of(file.path, "extends")
    if file in below:
        chain = " → ".join(link.path.name for link in (*below, file))
        raise BrokenTarget(file.path, f'the field "extends" is circular ({chain}).', line)
    if slug(parent) == file.id:  # a user's file may extend ours of the same name
        base = _find(parent, _files(None), None)
        base = None if base == file else base
    else:
        base = _find(parent, files, user_folder)
    if base is None:
        raise BrokenTarget(file.path, f'the field "extends" is wrong: {_unknown(parent, user_folder)}', line)
    inherited = _merged(base, files, user_folder, (*below, file))
    if base.id != file.id:  # a relative, not a replacement
        inherited = {**inherited, **nameless, "encoder_default": False, "files": ()}
    return merge_fields(inherited, own)


@lru_cache(maxsize=512)
def _checked(file: TargetFile) -> dict[str, object]:
    from ...safe_yaml import read_yaml

    return check_fields(read_yaml(file.path, MAX_BYTES), file.path)


def _unknown(name: str, user_folder: Path | None) -> str:
    names: dict[str, str] = {}
    for entry in index(user_folder):
        names.update((squash(known), entry.id) for known in (entry.id, entry.label, *entry.aliases))
    close = difflib.get_close_matches(squash(name), names, n=5, cutoff=0.5)
    near = list(dict.fromkeys(names[match] for match in close))
    hint = f"did you mean {', '.join(near)}?" if near else "plain works with any model."
    return (
        f'there is no target "{name[:80]}"; {hint} To add your own, put '
        f"{slug(name)[:40] or 'mine'}.yaml into the folder targets in Quillwork's home (fields: "
        "prompting/targets/README.md)."
    )
