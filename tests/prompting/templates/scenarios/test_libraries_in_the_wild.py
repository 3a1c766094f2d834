# ruff: noqa: E501 (a row each)
"""Wildcard folders as other programs' users have them: names, formats, encodings, and what is broken."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from quillwork.prompting.templates.library import FileUnreadable, Library
from quillwork.prompting.templates.library.encodings import decode
from quillwork.prompting.templates.resolve import UnknownVariable, resolve


def put(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def all_of(template: str, folder: Path) -> list[str]:
    return resolve(template, Library(folder), selection="combinations", count=1000).prompts


FILES: list[tuple[str, str, str, list[str]]] = [
    # Names.
    ("R&B.txt", "soul", "__R&B__", ["soul"]),
    ("80's.txt", "neon", "__80's__", ["neon"]),
    ("dogs (small).txt", "pug", "__dogs (small)__", ["pug"]),
    ("red, blue.txt", "both", "__red, blue__", ["both"]),
    ("c++.txt", "code", "__c++__", ["code"]),
    ("'quoted'.txt", "q", "__'quoted'__", ["q"]),
    ("(new).txt", "n", "__(new)__", ["n"]),
    ("&co.txt", "n", "__&co__", ["n"]),
    ("a - b.txt", "n", "__a - b__", ["n"]),
    ("rock & roll/80's + 90's.txt", "n", "__rock & roll/80's + 90's__", ["n"]),
    ("dir/name.txt", "deep", r"__dir\name__", ["deep"]),
    ("dir/sub/name.txt", "deep", r"__dir\sub\name__", ["deep"]),
    ("dir/name.txt", "deep", r"__dir\*__", ["deep"]),
    ("dir/name.txt", "deep", "__name__", ["deep"]),
    ("Dir/Name.txt", "deep", "__dir/NAME__", ["deep"]),
    ("x/dir/name.txt", "deep", "__dir/na*__", ["deep"]),
    # Endings.
    ("color.TXT", "red", "__color__", ["red"]),
    ("color.Txt", "red", "__color__", ["red"]),
    ("color.MD", "red", "__color__", ["red"]),
    ("any.YML", "color: [red, blue]", "__color__", ["red", "blue"]),
    ("any.Yaml", "color: [red, blue]", "__color__", ["red", "blue"]),
    ("color.YAML", "- red", "__color__", ["red"]),
    ("any.JSON", '{"color": ["red"]}', "__color__", ["red"]),
    ("color.CSV", "red\nblue", "__color__", ["red", "blue"]),
    # YAML: scalars, nesting, mappings, folders.
    ("any.yaml", "color: red", "__color__", ["red"]),
    ("any.yaml", "a: {b: red, c: [x]}", "__a/*__", ["red", "x"]),
    ("any.yaml", "count: 5\nyes: no\ntime: 12:30\nnone: ~", "__*__", ["5", "~", "12:30", "no"]),
    ("any.yaml", "a:\n  - 12\n  - true\n  - 1.50\n", "__a__", ["12", "true", "1.50"]),
    ("any.yaml", "a:\n  - - x\n    - y\n  - z\n", "__a__", ["x", "y", "z"]),
    ("any.yaml", "a:\n  - [x, y]\n  - z\n", "__a__", ["x", "y", "z"]),
    ("any.yaml", "a: [[x, y], [[z]]]\n", "__a__", ["x", "y", "[[z]]"]),
    ("any.yaml", "a:\n  - {2::red|3::blue}\n", "__a__", ["red", "blue"]),
    ("any.yaml", "a:\n  - {red|blue}\n  - x\n", "__a__", ["red", "blue", "x"]),
    ("any.yaml", "a:\n  - {red, or blue|green}\n", "__a__", ["red, or blue", "green"]),
    ("any.yaml", "a:\n  - {2$$x|y|z}\n", "__a__", ["x, y", "x, z", "y, z"]),
    ("any.yaml", "a:\n  - {{x|y}|z}\n", "__a__", ["x", "y", "z"]),
    ("any.yaml", "a: {x|y}\n", "__a__", ["x", "y"]),
    ("any.yaml", "a:\n  - {色|赤🎨}\n", "__a__", ["色", "赤🎨"]),
    ("any.yaml", "a:\n  - [black|gray] hair\n  - x\n", "__a__", ["[black|gray] hair", "x"]),
    ("any.yaml", "a:\n  - [black|gray]\n", "__a__", ["[black|gray]"]),
    ("any.yaml", "a:\n  - [cat:dog:0.5]\n", "__a__", ["[cat:dog:0.5]"]),
    ("any.yaml", "a:\n  - {text: red, weight: 2}\n  - {content: blue}\n", "__a__", ["red", "blue"]),
    ("any.yaml", "a:\n  - text: red\n    weight: 0\n  - text: blue\n", "__a__", ["blue"]),
    ("any.yaml", "a:\n  - a cat: the close-up\n  - x\n", "__a__", ["a cat: the close-up", "x"]),
    ("any.yaml", "a:\n  - b:\n    - x\n    - y\n", "__a/b__", ["x", "y"]),
    ("any.yaml", "a:\n  - |\n    # a note\n    one,\n    two\n  - three\n", "__a__", ["one, two", "three"]),
    ("any.yaml", "a: >\n  one,\n  two\n", "__a__", ["one, two"]),
    ("any.yaml", "hair color:\n  - red\n", "__hair color__", ["red"]),
    ("any.yaml", "R&B: [x]\n80's: [y]\n", "__R&B__ __80's__", ["x y"]),
    ("set/any.yaml", "hair: {style: [bob]}", "__set/hair/style__", ["bob"]),
    ("set/any.yaml", "hair: {style: [bob]}", "__hair/style__", ["bob"]),
    ("set/any.yaml", "hair: {style: [bob]}", "__hair/*__", ["bob"]),
    ("set/any.yaml", "hair: {style: [bob]}", "__style__", ["bob"]),
    ("set/list.yaml", "- x\n- y\n", "__set/list__", ["x", "y"]),
    ("any.yaml", "---\na: [x]\n", "__a__", ["x"]),
    # YAML that is none: each line still is a value.
    ("any.yaml", "a:\n  - {red|blue} dress\n  - x\n", "__a__", ["red dress", "blue dress", "x"]),
    ("any.yaml", "a:\n  - %50\n  - @artist\n  - `tick`\n", "__a__", ["%50", "@artist", "`tick`"]),
    ("any.yaml", "a:\n  - *star\n  - x\n", "__a__", ["*star", "x"]),
    ("any.yaml", "a:\n  - *star of it\n  - !tag x\n", "__a__", ["*star of it", "!tag x"]),
    ("any.yaml", 'a:\n  - "red" dress\n  - "x"\n', "__a__", ['"red" dress', "x"]),
    ("any.yaml", "a:\n\t- x\n\t- y\n", "__a__", ["x", "y"]),
    ("any.yaml", "a:\n  - x\nb:\n  - {p|q} r\na:\n  - y\n", "__a__ __b__", ["x p r", "x q r", "y p r", "y q r"]),
    ("any.yaml", "a:\n  b:\n    - {p|q} r\n  c:\n    - s: t: u\n", "__a/b__ __a/c__", ["p r s: t: u", "q r s: t: u"]),
    ("list.yaml", "- {p|q} r\n- s\n", "__list__", ["p r", "q r", "s"]),
    # Umi's entries.
    ("umi.yaml", "Neo:\n  Tags: [city, Neon]\n  Prompts: [x, y]\n", "<[neon]>", ["x", "y"]),
    ("umi.yaml", "Neo:\n  Tags: [city, Neon]\n  Prompts: [x, y]\n", "<[Neo]>", ["x", "y"]),
    ("umi.yaml", "A:\n  Tags: [t, u]\n  Prompts: [x]\nB:\n  Tags: [t]\n  Prompts: [y]\n", "<[t][u]>", ["x"]),
    ("umi.yaml", "A:\n  Tags: [t, u]\n  Prompts: [x]\nB:\n  Tags: [t]\n  Prompts: [y]\n", "<[t][--u]>", ["y"]),
    ("umi.yaml", "A:\n  Tags: [t, u]\n  Prompts: [x]\nB:\n  Tags: [t]\n  Prompts: [y]\n", "<[--u]>", ["y"]),
    ("umi.yaml", "A:\n  Tags: [u]\n  Prompts: [x]\nB:\n  Tags: [v]\n  Prompts: [y]\n", "<[u|v]>", ["x", "y"]),
    ("umi.yaml", "A:\n  Tags: [u]\n  Prompts: [x]\n", "<umi:[u]>", ["x"]),
    ("umi.yaml", "A:\n  Tags: [u]\n  Prompts: [x]\n", "__A__", ["x"]),
    (
        "umi.yaml",
        "A:\n  Tags: [u]\n  Prompts: ['a {b|c}']\n  Prefix: [p]\n  Suffix: [s, t]\n",
        "<[u]>",
        ["p, a b, s", "p, a b, t", "p, a c, s", "p, a c, t"],
    ),
    ("umi.yaml", "A:\n  Tags:\n    - u\n  Prompts:\n    - x\n  Prefix:\n  Suffix:\n", "<[u]>", ["x"]),
    ("umi.yaml", "A:\n  Tags: [u]\n  Prompts: [x]\n", "<[none]> <lora:[u]:1>", ["<[none]> <lora:[u]:1>"]),
    # JSON.
    ("any.json", '{"a": ["x", "y"], "b": {"c": ["z"]}}', "__a__ __b/c__", ["x z", "y z"]),
    ("any.json", '{\n\t"a": [\n\t\t"x",\n\t\t"y"\n\t]\n}', "__a__", ["x", "y"]),
    ("list.json", '["x", "y"]', "__list__", ["x", "y"]),
    ("any.json", '{"a": [1, 2.50, true, null, ["n"]]}', "__a__", ["1", "2.50", "true", "n"]),
    ("any.json", '{"a": [{"text": "x", "weight": 0}, {"content": "y"}], "b": "one"}', "__a__ __b__", ["y one"]),
    ("set/any.json", '{"bitter": ["coffee"]}', "__set/bitter__", ["coffee"]),
    ("any.json", '{"a": ["{x|y}"]}', "__a__", ["x", "y"]),
    # CSV.
    ("color.csv", "red\nblue\n", "__color__", ["red", "blue"]),
    ("color.csv", "color\nred\nblue\n", "__color__", ["red", "blue"]),
    ("color.csv", "value,weight\nred,0\nblue,2\n", "__color__", ["blue"]),
    ("flower.csv", "name,color\nrose,red\nlily,white\n", "__flower__", ["rose", "lily"]),
    ("flower.csv", "name,color\nrose,red\nlily,white\n", "__flower/color__", ["red", "white"]),
    ("flower.csv", "name;color\nrose;red\n", "__flower/name__", ["rose"]),
    ("flower.csv", "name\tcolor\nrose\tred\n", "__flower/color__", ["red"]),
    ("style.csv", 'name,prompt,negative_prompt\nOil,"oil, thick",blurry\n', "__style__", ["oil, thick"]),
    ("tags.csv", '1girl,0,482,"1girls,sole"\nsolo,0,395,\n', "__tags__", ["1girl", "solo"]),
    ("lines.csv", "a cat, sitting\na dog\na bird, flying, blue\n", "__lines__", [
        "a cat, sitting", "a dog", "a bird, flying, blue",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "template", "prompts"), FILES, ids=str)
def test_a_file_as_it_is_in_the_wild(
    tmp_path: Path, name: str, data: str, template: str, prompts: list[str]
) -> None:
    put(tmp_path, name, data)
    if name.casefold() != name and (tmp_path / name.casefold()).exists() and template.casefold() == template:
        pytest.skip("a file system that knows no capitals")
    assert sorted(all_of(template, tmp_path)) == sorted(prompts)


TEXTS = {
    "gbk": ["红色连衣裙\n蓝色的眼睛\n长发\n", "樱花树下\n城市夜景，霓虹灯\n", "masterpiece, 少女\n猫耳\n"],
    "cp932": ["赤い髪\n青い目\n桜\n", "着物の少女\n夕焼け、海\n", "masterpiece, ネコ耳\n制服\n"],
    "cp1251": ["красный\nсиний лес\n", "Зимний город, ночь\nстарый дом\n", "masterpiece, девушка\nв лесу\n"],
    "cp1252": [
        "crème brûlée\nété\n",
        "Größe\nschöne Mädchen\n",
        "mañana\nniño, corazón\n",
        "don’t\n“quoted” – so\n",
    ],
    "cp949": ["빨간 머리\n파란 눈\n", "겨울 바다, 밤하늘\n고양이\n"],
    "big5": ["紅色連衣裙\n藍色的眼睛\n", "櫻花樹下\n城市夜景，霓虹燈\n"],
    "utf-8": ["crème\n色\nкрасный\n"],
    "utf-8-sig": ["crème\n色\n"],
    "utf-16": ["crème\n色\nкрасный\n"],
    "utf-16-le": ["red\nblue, crème\n"],
    "utf-16-be": ["red\nblue, crème\n"],
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name in TEXTS for text in TEXTS[name]])
@pytest.mark.parametrize("ending", ["txt", "yaml", "csv"])
def test_encodings(tmp_path: Path, encoding: str, text: str, ending: str) -> None:
    lines = text.split("\n")[:-1]
    shown = text if ending == "txt" else "".join(f"- '{line}'\n" for line in lines)
    if ending == "csv":
        shown = "".join(f'"{line}"\n' for line in lines)
    put(tmp_path, f"values.{ending}", shown.encode(encoding))
    assert Library(tmp_path).values("values") == tuple(lines)


@pytest.mark.parametrize("encoding", ["gbk", "cp932", "cp1251", "utf-16"])
def test_a_file_keeps_its_encoding_when_values_are_added(tmp_path: Path, encoding: str) -> None:
    text = TEXTS.get(encoding, ["色\n"])[0]
    path = put(tmp_path, "values.txt", text.encode(encoding))
    library = Library(tmp_path)
    library.add("values", ["new"])
    assert path.read_bytes().decode(encoding).split() == [*text.split(), "new"]


def test_a_long_file_is_decoded_by_its_beginning() -> None:
    text = "красный лес, синий дом\n" * 20_000
    assert decode(text.encode("cp1251")) == (text, "cp1251")
    text = "红色连衣裙，蓝色的眼睛" * 20_000
    assert decode(text.encode("gbk"))[0] == text


def test_any_bytes_can_be_decoded() -> None:
    signs = random.Random(5)
    for size in (1, 2, 7, 60, 300):
        for _ in range(40):
            decode(signs.randbytes(size))


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "broken.yaml": ("zzz: [a", "broken.yaml, line"),
    "words.yaml": ("hello", "words.yaml"),
    "deep.yaml": ("[" * 100 + "]" * 100, "deep.yaml"),
    "broken.json": ('{"a": ["x",]', "broken.json, line 1"),
    "deep.json": ("[" * 100_000, "deep.json"),
    "binary.yaml": (b"\x00\x01\x02\xff" * 50, "binary.yaml"),
    "big.json": (b" " * (17 << 20), "big.json"),
    "bomb.yaml": ("a: &a [x]\nb: [*a, *a]\n", "bomb.yaml, line 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_costs_a_warning_that_names_it_and_never_the_run(tmp_path: Path, name: str) -> None:
    data, where = BROKEN[name]
    put(tmp_path, name, data)
    put(tmp_path, "good.yaml", "color: [red]")
    own = name.rpartition(".")[0]
    resolved = resolve(f"__color__ __*__ __{own}__", Library(tmp_path), leave_unknown=True)
    assert resolved.prompts == [f"red red __{own}__"]
    assert any(where in warning for warning in resolved.warnings)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.txt", b"\x89PNG\r\n\x1a\n" + bytes(60)),
        ("x.txt", bytes(range(1, 9)) * 40),
        ("x.md", b"a\0b\0\0\0\0c" * 9),
        ("x.yaml", "x: y: [\n"),
        ("x.json", "{"),
        ("x.csv", b"\0\0\0\0\1"),
    ],
)
def test_a_variable_of_a_file_that_cannot_be_read_stays(tmp_path: Path, name: str, data: str | bytes) -> None:
    put(tmp_path, name, data)
    put(tmp_path, "outer.txt", "a __x__ b")
    library = Library(tmp_path)
    resolved = resolve("__x__, __outer__", library, leave_unknown=True)
    assert resolved.prompts == ["__x__, a __x__ b"]
    assert any(f"`{name}" in warning for warning in resolved.warnings) or name == "x.yaml"


def test_a_file_read_line_by_line_is_told(tmp_path: Path) -> None:
    put(tmp_path, "any.yaml", "a:\n  - {x|y} z\n")
    library = Library(tmp_path)
    assert len(library.problems()) == 1
    assert "any.yaml, line 2` in the library was read line by line" in library.problems()[0]
    assert any("any.yaml" in warning for warning in resolve("__a*__", library).warnings)


def test_a_name_found_elsewhere_is_told(tmp_path: Path) -> None:
    put(tmp_path, "hair/color.txt", "red")
    put(tmp_path, "eyes/color.txt", "blue")
    library = Library(tmp_path)
    resolved = resolve("__color__", library, selection="combinations", count=2)
    assert resolved.prompts == ["blue", "red"]
    assert resolved.warnings == ["__color__ is read as __eyes/color__, __hair/color__."]
    assert not library.exists("color")
    assert library.add("color", ["green"]) == ["green"]
    assert all_of("__color__", tmp_path) == ["green"]


def test_the_signature_knows_what_a_name_stands_for(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put(tmp_path, "umi.yaml", "A:\n  Tags: [u]\n  Prompts: [x]\n")
    names = ["color", "<[u]>", "SIZE"]
    signatures = {library.signature(names)}
    put(tmp_path, "hair/color.txt", "red")
    signatures.add(library.signature(names))
    put(tmp_path, "size.txt", "big")
    signatures.add(library.signature(names))
    put(tmp_path, "umi.yaml", "A:\n  Tags: [u]\n  Prompts: [x, y]\n")
    signatures.add(library.signature(names))
    assert len(signatures) == 4


def test_a_library_with_everything_wrong_still_answers(tmp_path: Path) -> None:
    for name, (data, _) in BROKEN.items():
        put(tmp_path, name, data)
    library = Library(tmp_path)
    put(tmp_path, "ok.txt", "fine")
    assert resolve("__ok__", library).prompts == ["fine"]
    with pytest.raises(UnknownVariable):
        resolve("__nothing__", library)
    with pytest.raises(FileUnreadable):
        library.values("broken")
