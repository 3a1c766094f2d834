from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quillwork.prompting.templates.library import InvalidName, Library, LibraryError
from quillwork.prompting.templates.resolve import (
    InvalidSelection,
    Selection,
    TemplateError,
    TooLarge,
    UnknownVariable,
    combination_count,
    literal_value,
    missing_variables,
    resolve,
    variables,
    variables_behind,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    files = {
        "season": "# Seasons\nspring\nsummer\nautumn\nwinter\n",
        "size": "small\nbig\n",
        "animal": "a __size__ fox\n{tame|wild} cat\n",
        "place/city": "Rome\nOslo\n",
        "place/land/north": "moor\n",
        "empty": "# nothing yet\n",
        "one": "1\n",
    }
    for name, text in files.items():
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Library(tmp_path)


def put(library: Library, name: str, *lines: str) -> None:
    (library.folder / f"{name}.txt").write_text("\n".join(lines))


def combinations(template: str, library: Library | None = None) -> list[str]:
    return resolve(template, library, selection="combinations", count=1000).prompts


@pytest.mark.parametrize(
    ("template", "prompts"),
    [
        ("{a|b} {c|d}", ["a c", "a d", "b c", "b d"]),
        ("in __season__", ["in spring", "in summer", "in autumn", "in winter"]),
        ("__place/*__", ["Rome", "Oslo"]),
        ("__place/**__", ["Rome", "Oslo", "moor"]),
        ("__animal__", ["a small fox", "a big fox", "tame cat", "wild cat"]),
        ("{2$$a|b|c}", ["a, b", "a, c", "b, c"]),
        ("{1-2$$ and $$a|b|c}", ["a", "b", "c", "a and b", "a and c", "b and c"]),
        ("{-2$$a|b}", ["a", "b", "a, b"]),
        ("{2-$$a|b|c}", ["a, b", "a, c", "b, c", "a, b, c"]),
        ("{9$$a|b}", ["a, b"]),
        ("{2$$|$$a|b}", ["a|b"]),
        ("{2$$__size__}", ["small, big"]),
        ("{3$$ + $$__season__}", [
            "spring + summer + autumn",
            "spring + summer + winter",
            "spring + autumn + winter",
            "summer + autumn + winter",
        ]),
        ("{2$$__place/**__}", ["Rome, Oslo", "Rome, moor", "Oslo, moor"]),
        ("{0-1$$a}b", ["b", "ab"]),
        ("{2$$|a}", ["a"]),
        ("{|very }big", ["big", "very big"]),
        ("{a|{b|c}}", ["a", "b", "c"]),
        ("{0::a|b}", ["b"]),
        ("{a", ["{a"]),
        ("", [""]),
    ],
)  # fmt: skip
def test_combinations(library: Library, template: str, prompts: list[str]) -> None:
    assert combinations(template, library) == prompts
    assert combination_count(template, library) == len(prompts)


def test_combinations_begin_at_the_seed_and_wrap(library: Library) -> None:
    def some(seed: int, count: int) -> list[str]:
        return resolve("{a|b|c}", None, selection="combinations", count=count, seed=seed).prompts

    assert some(1, 2) == ["b", "c"]
    assert some(2, 3) == ["c", "a", "b"]
    assert some(-1, 1) == ["c"]
    assert some(3_000_000_001, 1) == ["b"]


def test_fewer_combinations_than_wanted_come_once_each() -> None:
    resolved = resolve("{a|b}", None, selection="combinations", count=5)
    assert resolved.prompts == ["a", "b"]
    assert resolved.warnings == ["There are only 2 combinations, so 2 prompts were made instead of 5."]


def test_a_billion_combinations_are_instant(library: Library) -> None:
    template = " ".join(["{a|b|c|d|e|f|g|h|i|j}"] * 12)
    assert combination_count(template, None) == 10**12
    started = time.monotonic()
    prompts = resolve(template, None, selection="combinations", count=1000, seed=10**11 * 9 + 10).prompts
    assert time.monotonic() - started < 10
    assert prompts[0] == "j a a a a a a a a a b a"
    assert len(set(prompts)) == 1000


def test_cycle_takes_the_next_value_of_everything() -> None:
    resolved = resolve("{a|b|c} {x|y} {2$$1|2|3}", None, selection="cycle", count=4, seed=1)
    assert resolved.prompts == ["b y 2, 3", "c x 3, 1", "a y 1, 2", "b x 2, 3"]


def test_cycle_goes_through_a_file_in_order(library: Library) -> None:
    resolved = resolve("__season__ __season__", library, selection="cycle", count=5, seed=3)
    assert [prompt.split()[0] for prompt in resolved.prompts] == [
        "winter",
        "spring",
        "summer",
        "autumn",
        "winter",
    ]
    assert resolved.picks[0] == {"season": ["winter", "winter"]}


RANDOM_TEMPLATE = "__season__ {a|b|c} {3::x|y} {2$$__season__} __animal__"


# Written down once: every Python version, process and machine must give these.
RANDOM_PROMPTS = [
    "spring c x autumn, winter wild cat",
    "autumn c x spring, winter tame cat",
    "spring a y spring, autumn wild cat",
    "summer c y winter, autumn wild cat",
]
IN_ANOTHER_PROCESS = """
import importlib.util, pathlib, sys
root, folder, template = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "quillwork", root + "/package.py", submodule_search_locations=[root]
)
sys.modules["quillwork"] = importlib.util.module_from_spec(spec)
from quillwork.prompting.templates.library import Library
from quillwork.prompting.templates.resolve import resolve
print(resolve(template, Library(pathlib.Path(folder)), count=4, seed=42).prompts)
"""


def test_random_is_the_same_everywhere(library: Library) -> None:
    assert resolve(RANDOM_TEMPLATE, library, count=4, seed=42).prompts == RANDOM_PROMPTS
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(ROOT), str(library.folder), RANDOM_TEMPLATE]
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    output = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert output.strip() == str(RANDOM_PROMPTS)


def test_random_prompts_do_not_depend_on_how_many_are_made(library: Library) -> None:
    many = resolve(RANDOM_TEMPLATE, library, count=50, seed=7)
    few = resolve(RANDOM_TEMPLATE, library, count=5, seed=7)
    assert few.prompts == many.prompts[:5]
    assert few.picks == many.picks[:5]
    assert len(set(many.prompts)) > 20
    assert resolve(RANDOM_TEMPLATE, library, count=50, seed=8).prompts != many.prompts


def test_each_occurrence_gets_its_own_pick(library: Library) -> None:
    prompts = resolve("__season__ __season__", library, count=100, seed=1).prompts
    assert {len(set(prompt.split())) for prompt in prompts} == {1, 2}


def test_several_of_one_variable_are_different(library: Library) -> None:
    put(library, "twice", "a", "a", "b")
    for prompt in resolve("{2$$ $$__twice__}", library, count=30).prompts:
        assert sorted(prompt.split()) == ["a", "b"]


def test_weights_of_library_values(library: Library) -> None:
    put(library, "weighted", "0::never", "9::often", "seldom")
    prompts = resolve("__weighted__", library, count=1000).prompts
    assert prompts.count("never") == 0
    assert 50 < prompts.count("seldom") < 170
    assert combinations("__weighted__", library) == ["often", "seldom"]


def test_picks_name_every_variable_that_was_used(library: Library) -> None:
    put(library, "one_animal", "the __size__ {fox|cat}")
    resolved = resolve(
        "__one_animal__, __season__, {2$$__season__}, __place/*__", library, selection="combinations", seed=1
    )
    assert resolved.prompts == ["the small fox, spring, spring, summer, Oslo"]
    assert resolved.picks == [
        {
            "one_animal": "the small fox",
            "size": "small",
            "season": ["spring", "spring", "summer"],
            "place/*": "Oslo",
        }
    ]
    assert list(resolved.picks[0]) == ["one_animal", "size", "season", "place/*"]
    assert resolved.used == ["one_animal", "size", "season", "place/*"]
    assert resolved.missing == []


def test_extra_values_are_never_expanded(library: Library) -> None:
    written = ["{a|b} __season__", "0.5::x", "<lora:evil:1>", r"\{"]
    resolved = resolve(
        "__mood__!",
        library,
        selection="combinations",
        count=9,
        extra_values={"mood": written, "size": ["huge"]},
    )
    assert resolved.prompts == [f"{value}!" for value in written]
    assert resolved.missing == ["mood"]
    assert resolved.used == []


def test_extra_values_are_among_those_of_a_pattern_instead_of_their_file(library: Library) -> None:
    given = {"place/city": ["Bergen"], "place/sea": ["Skagerrak"]}
    resolved = resolve("__place/**__", library, selection="cycle", count=3, extra_values=given)
    assert sorted(resolved.prompts) == ["Bergen", "Skagerrak", "moor"]
    assert resolve("__place/**__", None, extra_values=given).prompts[0] in ("Bergen", "Skagerrak")


def test_what_has_been_given_is_not_missing(library: Library) -> None:
    assert missing_variables("__mood__ __hue__", library, {"mood": ["calm"]}) == ["hue"]


def test_extra_values_win_over_the_library_and_reach_into_its_values(library: Library) -> None:
    put(library, "outer", "a __mood__ __size__ day")
    resolved = resolve("__outer__", library, extra_values={"mood": ["calm"], "size": ["{huge|tiny}"]})
    assert resolved.prompts == ["a calm {huge|tiny} day"]
    assert resolved.missing == ["mood"]
    assert resolved.used == ["outer"]


def test_what_a_model_wrote_comes_out_of_the_library_as_it_is(library: Library) -> None:
    written = ["{a|b} __season__", "0.5::x", "#1 fan", r"C:\{x}", "__x__y__"]
    assert library.add("mood", map(literal_value, written)) == list(map(literal_value, written))
    assert combinations("__mood__", library) == written


def test_names_in_a_template(library: Library) -> None:
    assert variables("__a__ {x|__b__} __a__ {2$$__c/*__}") == ["a", "b", "c/*"]
    assert variables("none") == []


def test_all_variables_that_a_template_leads_to(library: Library) -> None:
    put(library, "outer", "__later__ and __animal__")
    put(library, "loop", "__loop__")
    assert variables_behind("__zebra__ __outer__ __place/*__ {__one__|__outer__}", library) == [
        "zebra", "outer", "later", "animal", "size", "place/*", "one",
    ]  # fmt: skip
    assert variables_behind("__animal__ __loop__ __one__", library) == ["animal", "size", "loop", "one"]
    assert variables_behind("__one__ __../x__", library) == ["one", "../x"]


def test_missing_variables_in_order_those_within_values_too(library: Library) -> None:
    put(library, "outer", "__later__ and __size__")
    template = "__zebra__ __outer__ __empty__ __zebra__ __place/*__ __size__"
    assert missing_variables(template, library) == ["zebra", "later", "empty"]
    assert missing_variables("__a__ __b__", None) == ["a", "b"]


def test_a_pattern_without_matches_is_an_error_before_anything_is_invented(library: Library) -> None:
    with pytest.raises(UnknownVariable, match=r"matches __no/\*__\. Correct the pattern") as caught:
        missing_variables("__zebra__ __no/*__", library)
    assert caught.value.names == ("no/*",)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "__seeson__",
            r"no variable __seeson__ .*did you mean __season__\?.*Create seeson\.txt.*generate_missing",
        ),
        ("__zzz__", r"no variable __zzz__ in the library\. Create zzz\.txt"),
        ("__empty__", r"__empty__ has no values yet"),
        ("__no/*__", r"matches __no/\*__\. Correct the pattern"),
        ("__aa__ __bb__", r"no values for __aa__, __bb__\. Create"),
    ],
)
def test_unknown_variables(library: Library, template: str, message: str) -> None:
    for call in (lambda: resolve(template, library), lambda: combination_count(template, library)):
        with pytest.raises(UnknownVariable, match=message) as caught:
            call()
        assert list(caught.value.names) == variables(template)


@pytest.mark.parametrize("selection", ["random", "cycle", "combinations"])
def test_what_is_unknown_may_be_left_for_others(library: Library, selection: Selection) -> None:
    put(library, "outer", "a __their/name__ in __one__")
    template = "__outer__, {0-2$$ and $$__theirs__}, {__their_own__}, __no/*__, __con__, ${c} __empty__"
    resolved = resolve(template, library, selection=selection, count=5, leave_unknown=True)
    assert set(resolved.prompts) == {
        "a __their/name__ in 1, {0-2$$ and $$__theirs__}, {__their_own__}, __no/*__, __con__, ${c} __empty__"
    }
    assert resolved.left == ["con", "their/name", "theirs", "their_own", "no/*", "empty"]
    assert set(resolved.picks[0]) == {"outer", "one"}
    assert "__theirs__ stays as it is: the library has no values for it." in resolved.warnings
    assert missing_variables(template, library, leave_unknown=True) == [
        "their/name", "theirs", "their_own", "empty",
    ]  # fmt: skip


def test_what_is_left_is_told_with_close_names(library: Library) -> None:
    (warning,) = resolve("__seeson__", library, leave_unknown=True).warnings
    assert "did you mean __season__?" in warning


def test_a_broken_yaml_file_is_mentioned_when_something_is_missing(library: Library) -> None:
    (library.folder / "all.yaml").write_text("zzz: [a")
    with pytest.raises(UnknownVariable, match=r"no variable __zzz__.*all\.yaml, line"):
        resolve("__zzz__", library)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a//b", "con", "sub/../../x"])
def test_names_that_would_leave_the_library(library: Library, name: str) -> None:
    (library.folder.parent / "x.txt").write_text("secret")
    assert variables(f"__{name}__") == [name]
    for call in (resolve, combination_count, missing_variables):
        for source in (library, None):
            with pytest.raises(InvalidName, match="is not a valid variable name"):
                call(f"__{name}__", source)


@pytest.mark.parametrize("selection", ["random", "cycle", "combinations"])
def test_values_that_lead_back_are_left_out_with_a_warning(library: Library, selection: Any) -> None:
    put(library, "a", "fine", "x {y|__b__}")
    put(library, "b", "__a__")
    resolved = resolve("__a__", library, selection=selection)
    assert resolved.prompts == ["fine"]
    (warning,) = resolved.warnings
    assert "__a__ → __b__ → __a__; the values that do so were left out" in warning
    assert "b.txt" in warning
    put(library, "self", "__self__")
    resolved = resolve("__one__ __self__", library, selection=selection)
    assert resolved.prompts == ["1 __self__"]
    assert "__self__ → __self__" in resolved.warnings[0]
    assert resolved.left == ["self"]
    assert missing_variables("__self__", library) == []
    put(library, "glob1", "__glob*__")
    assert combination_count("__glob1__", library) == 1


def test_a_variable_used_twice_is_no_cycle(library: Library) -> None:
    put(library, "pair", "__size__ __size__")
    assert combinations("__pair__ __size__", library)[0] == "small small small"


def test_chains_have_an_end(library: Library) -> None:
    for i in range(100):
        put(library, f"c{i}", f"__c{i + 1}__")
    put(library, "c100", "x")
    assert resolve("__c90__", library).prompts == ["x"]
    with pytest.raises(TooLarge, match="are nested more than"):
        resolve("__c0__", library)


@pytest.mark.parametrize("selection", ["random", "cycle", "combinations"])
def test_values_that_multiply_have_an_end(library: Library, selection: Any) -> None:
    for i in range(12):
        put(library, f"m{i}", f"__m{i + 1}__ " * 12, "x")
    put(library, "m12", "laugh", "ha")
    started = time.monotonic()
    with pytest.raises(TooLarge, match="100,000 characters"):
        resolve("__m0__ " * 100, library, selection=selection, count=1000, seed=2**63)
    assert time.monotonic() - started < 20


def test_variants_and_variables_nested_together_have_an_end(library: Library) -> None:
    for i in range(15):
        put(library, f"d{i}", "{x|" * 25 + f"__d{i + 1}__" + "}" * 25)
    put(library, "d15", "x")
    for selection in ("random", "cycle", "combinations"):
        try:
            resolve("__d0__", library, selection=selection, count=50, seed=1)
        except TooLarge as error:
            assert "too deep" in str(error)  # noqa: PT017 - either is fine, a RecursionError is not


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_count_has_bounds(count: int) -> None:
    with pytest.raises(InvalidSelection, match="1 to 1000"):
        resolve("x", None, count=count)


def test_unknown_selection() -> None:
    with pytest.raises(InvalidSelection, match="random, cycle or combinations"):
        resolve("x", None, selection="all")


def test_warnings_come_with_the_result(library: Library) -> None:
    put(library, "broken", "a {b")
    resolved = resolve("x } __broken__", library, count=3)
    assert resolved.prompts == ["x } a {b"] * 3
    assert len(resolved.warnings) == 2
    assert "character 3" in resolved.warnings[0]
    assert resolved.warnings[1].startswith("In a value of __broken__: ")


@pytest.mark.parametrize("leave_unknown", [True, False])
def test_a_file_that_cannot_be_read_costs_a_warning(library: Library, leave_unknown: bool) -> None:
    with (library.folder / "big.txt").open("wb") as file:
        file.truncate(200 << 20)
    (library.folder / "picture.txt").write_bytes(b"\x89PNG\r\n\0\0\0\rIHDR" * 9)
    put(library, "outer", "a __big__ __one__")
    resolved = resolve("__big__ __picture__ __outer__", library, leave_unknown=leave_unknown)
    assert resolved.prompts == ["__big__ __picture__ a __big__ 1"]
    assert resolved.left == ["big", "picture"]
    assert missing_variables("__big__", library) == []
    told = " ".join(resolved.warnings)
    assert "`big.txt` in the library is larger than 16 MB" in told
    assert "`picture.txt` in the library is not a text file" in told


def test_a_template_without_a_library() -> None:
    assert resolve("{a|a}", None).prompts == ["a"]
    with pytest.raises(UnknownVariable, match="no library"):
        resolve("__a__", None)


SIGNS = [
    "__",
    "_",
    "{",
    "}",
    "|",
    "$$",
    "2$$",
    "1-$$",
    "::",
    "0.5::",
    "\\",
    "$",
    "<lora:",
    ">",
    ":",
    "/",
    "*",
]
WORDS = [
    "size",
    "animal",
    "one",
    "empty",
    "zzz",
    "place/",
    "__size__",
    "__animal__",
    "{a|b}",
    '"',
    " ",
    "..",
    "é",
]
PIECES = st.sampled_from([*SIGNS, *WORDS])
TEXT = st.lists(PIECES, max_size=14).map("".join) | st.text()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT, st.sampled_from(["random", "cycle", "combinations"]), st.integers())
def test_any_template_gives_prompts_or_one_of_our_errors(
    library: Library, template: str, selection: Any, seed: int
) -> None:
    def attempt() -> object:
        try:
            resolved = resolve(template, library, selection=selection, count=3, seed=seed)
        except (TemplateError, LibraryError) as error:
            return type(error), str(error)
        assert 1 <= len(resolved.prompts) == len(resolved.picks) <= 3
        return resolved

    assert attempt() == attempt()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT)
def test_any_library_value_gives_prompts_or_one_of_our_errors(library: Library, text: str) -> None:
    library.write("fuzz", text.splitlines() or ["x"])
    with suppress(TemplateError, LibraryError):
        resolve("__fuzz__ {2$$__fuzz__}", library, count=2)


@given(
    st.text(st.characters(exclude_characters="_{}\\")), st.sampled_from(["random", "cycle", "combinations"])
)
def test_text_without_syntax_comes_back_byte_for_byte(text: str, selection: Any) -> None:
    assert resolve(text, None, selection=selection).prompts == [text]
