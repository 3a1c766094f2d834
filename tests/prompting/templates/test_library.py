from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from quillwork.prompting.templates.library import (
    FileTooLarge,
    FileUnreadable,
    InvalidName,
    Library,
    LibraryError,
    ReadOnly,
    VariableNotFound,
)

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "own", [tmp_path / "shared", tmp_path / "more"])


def put(root: Path, name: str, text: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_values_names_and_descriptions(library: Library) -> None:
    put(
        library.folder,
        "color.txt",
        "# Colours of\n#  a coat\n\nred\n  blue \n# not this one\n0.5::green\n\\#fff\n",
    )
    put(library.folder, "hair/style.md", "bob\nbun")
    assert library.values("color") == ("red", "blue", "0.5::green", "#fff")
    assert library.describe("color") == "Colours of\na coat"
    assert library.values("hair/style") == ("bob", "bun")
    assert library.describe("hair/style") == ""
    assert library.names() == ["color", "hair/style"]
    assert library.exists("color")
    assert not library.exists("colour")
    assert not library.is_read_only("color")


def test_a_library_without_a_folder_is_empty(library: Library) -> None:
    assert library.names() == []
    with pytest.raises(VariableNotFound, match=r"create color\.txt"):
        library.values("color")


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"\xef\xbb\xbfgr\xc3\xbcn\nrot\n", ("grün", "rot")),
        (b"gr\xfcn\nrot\n", ("grün", "rot")),
        (b"\x93red\x94\n", ("“red”",)),
        (b"caf\xe9 \x81\n", ("café \x81",)),
        (b"red\r\nblue\r\n\r\n# x\r\n", ("red", "blue")),
        (b"red\rblue", ("red", "blue")),
        ("grün\nrot\n".encode("utf-16"), ("grün", "rot")),
        ("weiß\u2028grau\n".encode(), ("weiß\u2028grau",)),
        (b"", ()),
        (b"\xef\xbb\xbf# only a comment", ()),
    ],
)
def test_encodings_and_line_ends(library: Library, data: bytes, values: tuple[str, ...]) -> None:
    put(library.folder, "color.txt", data)
    assert library.values("color") == values


def test_yaml_keys_are_names(library: Library) -> None:
    put(
        library.folder,
        "anything.yaml",
        "clothing:\n  - T-shirt\n  - 2::Shoes\n  - no\n  - {text: Hat, weight: 0.5}\n"
        "artists:\n  finnish: [Akseli, Eero]\n  flurp: 12\n  bad__name: [x]\n  1234: [five]\n"
        "long:\n  - |\n    # a note\n    first,\n    second\n",
    )
    put(library.folder, "sub/list.yml", "- one\n- two\n")
    assert library.names() == [
        "artists/1234", "artists/finnish", "artists/flurp", "clothing", "long", "sub/list",
    ]  # fmt: skip
    assert library.values("artists/flurp") == ("12",)
    assert library.values("clothing") == ("T-shirt", "2::Shoes", "no", "0.5::Hat")
    assert library.values("artists/finnish") == ("Akseli", "Eero")
    assert library.values("long") == ("first, second",)
    assert library.values("sub/list") == ("one", "two")
    assert library.is_read_only("clothing")
    assert library.describe("clothing") == ""


def test_a_text_file_wins_over_yaml(library: Library) -> None:
    put(library.folder, "a.yaml", "color: [from yaml]")
    assert library.values("color") == ("from yaml",)
    put(library.folder, "color.txt", "from text")
    assert library.values("color") == ("from text",)


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"


def test_a_yaml_bomb_is_named_and_spoils_no_other_variable(library: Library) -> None:
    put(library.folder, "bomb.yaml", BOMB)
    put(library.folder, "good.yaml", "color: [red]")
    assert library.values("color") == ("red",)
    assert library.names() == ["color"]
    assert len(library.problems()) == 1
    assert "bomb.yaml, line 2" in library.problems()[0]
    with pytest.raises(FileUnreadable, match=r"bomb\.yaml, line 2.*aliases"):
        library.values("bomb")


def test_the_own_folder_wins_over_read_only_ones(library: Library, tmp_path: Path) -> None:
    put(tmp_path / "more", "color.txt", "more")
    put(tmp_path / "more", "size.txt", "big")
    assert library.values("color") == ("more",)
    put(tmp_path / "shared", "color.yaml", "- shared")
    assert library.values("color") == ("shared",)
    put(library.folder, "color.md", "own")
    assert library.values("color") == ("own",)
    assert library.names() == ["color", "size"]
    assert library.is_read_only("size")


def test_glob(library: Library, tmp_path: Path) -> None:
    for name in ("a/x", "a/y", "a/b/z", "ab", "c/x"):
        put(library.folder, f"{name}.txt", "v")
    put(tmp_path / "shared", "a/q.txt", "v")
    assert library.glob("a/*") == ["a/q", "a/x", "a/y"]
    assert library.glob("a/**") == ["a/b/z", "a/q", "a/x", "a/y"]
    assert library.glob("a*") == ["ab"]
    assert library.glob("*/x") == ["a/x", "c/x"]
    assert library.glob("**/z") == ["a/b/z"]
    assert library.glob("**") == library.names()
    assert library.glob("nothing*") == []
    with pytest.raises(InvalidName):
        library.glob("../*")


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../x",
        "a/..",
        "..",
        ".",
        ".hidden",
        "a/.git",
        "/etc/passwd",
        "//host/share",
        "a//b",
        "a/",
        "C:/x",
        "C:x",
        "a\\b",
        "..\\x",
        "%2e%2e/x",
        "a\0b",
        "a\nb",
        "",
        " a",
        "a ",
        "a./b",
        "con",
        "sub/NUL",
        "aux.backup",
        "lpt1",
        "x" * 201,
        "a*",
        "a?b",
        "a__b",
        "_a",
        "a_",
        "a\u202eb",
        "a\ud800b",
        "~",
        "$HOME",
    ],
)
def test_names_that_are_refused_everywhere(library: Library, tmp_path: Path, name: str) -> None:
    put(tmp_path, "x.txt", "outside")
    before = sorted(tmp_path.rglob("*"))
    for call in (
        lambda: library.values(name),
        lambda: library.exists(name),
        lambda: library.describe(name),
        lambda: library.is_read_only(name),
        lambda: library.add(name, ["v"]),
        lambda: library.write(name, ["v"]),
        lambda: library.delete(name),
    ):
        with pytest.raises(InvalidName, match="is not a valid variable name"):
            call()
    assert sorted(tmp_path.rglob("*")) == before


@needs_links
def test_links_that_stay_inside_are_read_and_others_are_not(library: Library, tmp_path: Path) -> None:
    secret = put(tmp_path / "outside", "secret.txt", "secret")
    put(tmp_path / "shared", "color.txt", "red")
    library.folder.mkdir()
    (library.folder / "inside.txt").symlink_to(tmp_path / "shared" / "color.txt")
    (library.folder / "leak.txt").symlink_to(secret)
    (library.folder / "sub").symlink_to(tmp_path / "outside")
    (library.folder / "loop").symlink_to(library.folder)
    assert library.names() == ["color", "inside"]
    assert library.values("inside") == ("red",)
    for name in ("leak", "sub/secret"):
        with pytest.raises(FileUnreadable, match="points outside the library"):
            library.values(name)
        with pytest.raises(LibraryError, match="points outside the library"):
            library.add(name, ["more"])
        with pytest.raises(LibraryError, match="points outside the library"):
            library.write(name, ["more"])
    with pytest.raises(ReadOnly, match="points outside the library"):
        library.write("sub/new", ["x"])
    with pytest.raises(ReadOnly, match="points outside the library"):
        library.write("inside", ["x"])
    assert secret.read_text() == "secret"
    assert sorted(path.name for path in secret.parent.iterdir()) == ["secret.txt"]
    assert library.values("color") == ("red",)


def test_a_changed_file_is_read_again(library: Library) -> None:
    path = put(library.folder, "color.txt", "red")
    assert library.values("color") == ("red",)
    path.write_text("blue and green")
    assert library.values("color") == ("blue and green",)
    path.unlink()
    assert not library.exists("color")


def test_signature_follows_the_files_behind_the_names(library: Library, tmp_path: Path) -> None:
    put(library.folder, "color.txt", "red")
    names = ["color", "size", "a/*", "../x"]
    seen = [library.signature(names)]
    assert library.signature(reversed(names)) == seen[0]
    assert library.signature(["color"]) != seen[0]

    put(library.folder, "other.txt", "unrelated")
    assert library.signature(names) == seen[0]
    for name, text in (("color.txt", "red\nblue"), ("a/x.txt", "1"), ("a/y.txt", "2")):
        put(library.folder, name, text)
        seen.append(library.signature(names))
    put(tmp_path / "shared", "any.yaml", "size: [big]")
    seen.append(library.signature(names))
    os.utime(library.folder / "a" / "y.txt", (1, 1))
    seen.append(library.signature(names))
    (library.folder / "a" / "x.txt").unlink()
    seen.append(library.signature(names))
    assert len(set(seen)) == len(seen)


def test_similar_names(library: Library) -> None:
    put(library.folder, "Season.txt", "x")
    put(library.folder, "hair/color.txt", "x")
    assert library.similar("seson") == ["Season"]
    with pytest.raises(VariableNotFound, match="did you mean `Season`"):
        library.values("season")


def test_adding_to_a_new_variable(library: Library) -> None:
    assert library.add("sub/coat_color", [" red ", "RED", "two\nlines\x1b\x07here", "", "#fff", "blue"]) == [
        "red",
        "two lines here",
        "#fff",
        "blue",
    ]
    path = library.folder / "sub" / "coat_color.txt"
    assert path.read_text() == "# sub/coat color\nred\ntwo lines here\n\\#fff\nblue\n"
    assert library.values("sub/coat_color") == ("red", "two lines here", "#fff", "blue")
    assert library.add("mood", ["calm"], "How it feels\nto be there") == ["calm"]
    assert library.describe("mood") == "How it feels\nto be there"


@pytest.mark.parametrize("suffix", [".txt", ".md"])
def test_adding_keeps_what_is_there(library: Library, suffix: str) -> None:
    path = put(library.folder, f"color{suffix}", "# Head\nred\n# between\n0.5::Blue")
    assert library.add("color", ["RED", "blue", "green", "2::Green"], "ignored") == ["green"]
    assert path.read_text() == "# Head\nred\n# between\n0.5::Blue\ngreen\n"
    assert sorted(p.name for p in library.folder.iterdir()) == [path.name]
    stamp = path.stat().st_mtime_ns
    assert library.add("color", ["green"]) == []
    assert path.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        (b"\xef\xbb\xbfred\r\n", "grün", b"\xef\xbb\xbfred\r\ngr\xc3\xbcn\r\n"),
        (b"r\xf6d\n", "grün", b"r\xf6d\ngr\xfcn\n"),
        (b"r\xf6d\n", "色", "röd\n色\n".encode()),
        (b"", "red", b"red\n"),
        ("röd\n".encode("utf-16"), "色", "röd\n色\n".encode("utf-16")),
    ],
)
def test_adding_keeps_encoding_and_line_ends(library: Library, before: bytes, new: str, after: bytes) -> None:
    path = put(library.folder, "color.txt", before)
    assert library.add("color", [new]) == [new]
    assert path.read_bytes() == after


def test_adding_to_what_only_a_read_only_folder_has_copies_it_first(library: Library, tmp_path: Path) -> None:
    shared = put(tmp_path / "shared", "color.txt", "# Head\nred\n\\#fff\n")
    assert library.add("color", ["Red", "blue"]) == ["blue"]
    assert library.values("color") == ("red", "#fff", "blue")
    assert library.describe("color") == "Head"
    assert shared.read_text() == "# Head\nred\n\\#fff\n"


def test_writing_replaces_values_and_keeps_the_description(library: Library) -> None:
    path = put(library.folder, "color.md", "# Head\nred\n")
    library.write("color", ["blue", "", "#fff", "two\nlines", "bad \ud800 end"])
    assert path.read_text() == "# Head\nblue\n\\#fff\ntwo lines\nbad ? end\n"
    library.write("color", ["x"], "New head")
    assert path.read_text() == "# New head\nx\n"
    library.write("color", [], "")
    assert path.read_text() == ""
    assert library.values("color") == ()
    library.write("new/one", ["x"])
    assert (library.folder / "new" / "one.txt").read_text() == "x\n"
    assert sorted(p.name for p in library.folder.rglob("*")) == ["color.md", "new", "one.txt"]


def test_writing_what_a_read_only_folder_has_makes_an_own_file(library: Library, tmp_path: Path) -> None:
    shared = put(tmp_path / "shared", "color.md", "# Head\nred\n")
    library.write("color", ["blue"])
    assert library.values("color") == ("blue",)
    assert library.describe("color") == "Head"
    assert shared.read_text() == "# Head\nred\n"
    library.delete("color")
    assert library.values("color") == ("red",)


def test_what_cannot_be_changed_says_so(library: Library, tmp_path: Path) -> None:
    put(library.folder, "all.yaml", "color: [red]")
    shared = put(tmp_path / "shared", "size.txt", "big")
    for call in (
        lambda: library.add("color", ["x"]),
        lambda: library.write("color", ["x"]),
        lambda: library.delete("color"),
    ):
        with pytest.raises(ReadOnly, match=r"all\.yaml; edit that file"):
            call()
    with pytest.raises(ReadOnly, match="read-only folder"):
        library.delete("size")
    assert shared.exists()
    with pytest.raises(VariableNotFound):
        library.delete("nothing")


def test_deleting(library: Library) -> None:
    put(library.folder, "color.txt", "red")
    library.delete("color")
    assert library.names() == []


def test_hidden_files_are_no_variables(library: Library) -> None:
    put(library.folder, ".a.txt", "x")
    put(library.folder, ".git/b.txt", "x")
    put(library.folder, ".c.yaml", "c: [x]")
    put(library.folder, ".git/d.yaml", "d: [x]")
    put(library.folder, "notes.log", "x")
    (library.folder / "dir.txt").mkdir()
    assert library.names() == []
    assert not library.exists("dir")


def test_values_that_would_make_the_file_too_large_are_refused(library: Library) -> None:
    path = put(library.folder, "color.txt", "red")
    with pytest.raises(FileTooLarge, match="16 MB"):
        library.add("color", ["x" * (16 << 20)])
    assert path.read_text() == "red"


def test_a_folder_in_the_way_is_said(library: Library) -> None:
    put(library.folder, "a.txt", "x")
    (library.folder / "b").write_text("a file where a folder is wanted")
    with pytest.raises(LibraryError, match="was not saved"):
        library.write("b/c", ["x"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a fifo")
def test_what_is_no_file_is_not_opened(library: Library) -> None:
    library.folder.mkdir()
    os.mkfifo(library.folder / "pipe.txt")
    os.mkfifo(library.folder / "pipe.yaml")
    assert not library.exists("pipe")
    assert "is not a file" in library.problems()[0]
