from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quillwork.prompting.templates.combinations import COUNT_LIMIT, CombinationPicker
from quillwork.prompting.templates.nodes import Node, Nodes, Option, Variable, Variant
from quillwork.prompting.templates.picking import Choices, CyclePicker, Picker, RandomPicker
from quillwork.prompting.templates.scope import NOWHERE


def one(picker: Picker, choices: Choices, taken: Collection[int] = ()) -> int:
    return picker.one(choices, 0, "key", NOWHERE, taken)[0]


def several(
    picker: Picker, choices: Choices, least: int, most: int, taken: Collection[int] = ()
) -> list[int]:
    return [place for place, _ in picker.several(choices, least, most, 0, "key", NOWHERE, taken)]


def test_weight_0_is_never_chosen_unless_all_have_it() -> None:
    assert Choices(["a", "b", "c"], [0, 1, 0]).contents == ["b"]
    assert Choices(["a", "b"], [0, 0]).contents == ["a", "b"]


def test_distinct_adds_up_the_weights_of_copies() -> None:
    choices = Choices(["a", "b", "a"], [1, 2, 3]).distinct()
    assert choices.contents == ["a", "b"]
    assert choices.weights() == [4.0, 2.0]
    assert Choices(["a", "b", "a"]).distinct().weights() == [1.0, 1.0]


def test_random_follows_the_weights() -> None:
    choices = Choices(["rare", "often"], [1, 9])
    taken = Counter(choices.contents[one(RandomPicker(seed), choices)] for seed in range(2000))
    assert 120 < taken["rare"] < 290


def test_random_sets_follow_the_weights_and_have_no_repeats() -> None:
    choices = Choices(["a", "b", "c"], [1, 1_000_000, 1])
    first: Counter[int] = Counter()
    for seed in range(300):
        places = several(RandomPicker(seed), choices, 2, 2)
        assert len(set(places)) == 2
        assert 1 in places
        first[places[0]] += 1
    assert first[1] == 300
    everything = set(several(RandomPicker(7), choices, 3, 3))
    assert everything == {0, 1, 2}


def test_random_sizes_reach_both_bounds() -> None:
    choices = Choices([str(i) for i in range(5)])
    sizes = Counter(len(several(RandomPicker(seed), choices, 0, 3)) for seed in range(400))
    assert set(sizes) == {0, 1, 2, 3}
    assert min(sizes.values()) > 60


def test_cycle_begins_again() -> None:
    choices = Choices(["a", "b", "c"])
    assert [one(CyclePicker(turn), choices) for turn in range(-1, 4)] == [2, 0, 1, 2, 0]
    assert several(CyclePicker(2), choices, 2, 2) == [2, 0]


def test_what_is_taken_comes_again_only_when_nothing_else_is_left() -> None:
    choices = Choices(["a", "b", "c"])
    for picker in (RandomPicker(3), CyclePicker(3)):
        assert one(picker, choices, {0, 2}) == 1
        assert one(picker, choices, {0, 1, 2}) in (0, 1, 2)
        assert several(picker, choices, 2, 2, {1}) in ([0, 2], [2, 0])
        assert len(set(several(picker, choices, 2, 2, {1, 2}))) == 2
    heavy = Choices(["a", "b", "c"], [1, 1_000_000, 1])
    assert {one(RandomPicker(seed), heavy, {1}) for seed in range(20)} == {0, 2}


def test_a_pick_of_named_choices_does_not_depend_on_their_order() -> None:
    for seed in range(50):
        picks = set()
        for names in (["a", "b", "c"], ["c", "a", "b"], ["b", "a", "c"]):
            weights = [{"a": 1.0, "b": 2.0, "c": 0.5}[name] for name in names]
            choices = Choices(names, weights, names=names)
            picks.add((names[one(RandomPicker(seed), choices)],))
            picks.add(tuple(names[place] for place in several(RandomPicker(seed), choices, 2, 2)))
        assert len(picks) == 2


def all_texts(node: Node) -> list[str]:
    """Return every text that `node` can become, in order, written out the long way."""
    if isinstance(node, str):
        return [node]
    assert isinstance(node, Variant)
    options = [sequence_texts(option.nodes) for option in node.options]
    if node.joiner is None:
        return [text for texts in options for text in texts]
    most = len(options) if node.most is None else min(node.most, len(options))
    return [
        node.joiner.join(texts)
        for size in range(min(node.least, most), most + 1)
        for texts in sets_of(options, size)
    ]


def sets_of(options: list[list[str]], size: int) -> Iterator[list[str]]:
    if size == 0:
        yield []
        return
    for place, texts in enumerate(options):
        for text in texts:
            for others in sets_of(options[place + 1 :], size - 1):
                yield [text, *others]


def sequence_texts(nodes: Nodes) -> list[str]:
    return ["".join(texts) for texts in product(*(all_texts(node) for node in nodes))]


def options(nodes: st.SearchStrategy[Nodes]) -> st.SearchStrategy[Variant]:
    bounds = st.sampled_from([(1, 1, None), (1, 1, "+"), (2, 2, "+"), (0, 2, "+"), (1, None, "+")])
    members = st.lists(nodes.map(Option), min_size=1, max_size=4).map(tuple)
    return st.builds(lambda members, bound: Variant(members, *bound), members, bounds)


LETTERS = st.sampled_from("abc")
NODES = st.recursive(
    st.lists(LETTERS, min_size=1, max_size=1).map(tuple),
    lambda inner: st.lists(LETTERS | options(inner), min_size=1, max_size=2).map(tuple),
    max_leaves=6,
)


@settings(deadline=None)
@given(NODES)
def test_each_rank_is_the_combination_that_counting_by_hand_gives(nodes: Nodes) -> None:
    known: dict[int, Choices] = {}

    def choices_of(node: Variable | Variant) -> Choices:
        assert isinstance(node, Variant)
        if id(node) not in known:
            known[id(node)] = Choices([option.nodes for option in node.options])
        return known[id(node)]

    picker = CombinationPicker(choices_of)

    def text_of(inner: Nodes, rank: int) -> str:
        texts = []
        for node, own in zip(inner, picker.ranks(inner, rank), strict=True):
            if isinstance(node, str):
                texts.append(node)
                continue
            assert isinstance(node, Variant)
            if node.joiner is None:
                place, within = picker.one(choices_of(node), own)
                texts.append(text_of(node.options[place].nodes, within))
            else:
                most = min(len(node.options) if node.most is None else node.most, len(node.options))
                places = picker.several(choices_of(node), min(node.least, most), most, own)
                texts.append(node.joiner.join(text_of(node.options[p].nodes, r) for p, r in places))
        return "".join(texts)

    expected = sequence_texts(nodes)
    assert picker.count(nodes) == len(expected)
    ranks = range(len(expected)) if len(expected) < 300 else range(0, len(expected), len(expected) // 300)
    assert [text_of(nodes, rank) for rank in ranks] == [expected[rank] for rank in ranks]


@pytest.mark.parametrize("inner", [("x",), (Variant((Option(("x",)), Option(("y",)))),)])
def test_counts_past_the_limit_still_give_different_sets(inner: Nodes) -> None:
    variant = Variant(tuple(Option(inner) for _ in range(2000)), 40, 60, ", ")
    choices = Choices([option.nodes for option in variant.options])
    pair = Variant((Option(("x",)), Option(("y",))))
    known = {id(variant): choices, id(pair): Choices(["x", "y"])}
    for node in inner:
        known[id(node)] = Choices(["x", "y"])
    picker = CombinationPicker(lambda node: known[id(node)])
    assert picker.count((variant, pair)) == COUNT_LIMIT
    seen = {tuple(picker.several(choices, 40, 60, rank)) for rank in (0, 1, 2, 1999, 10**9, 2**64)}
    assert len(seen) == 6
    assert picker.several(choices, 40, 60, 0) == [(place, 0) for place in range(40)]
    assert picker.several(choices, 40, 60, 2**64)[:10] == [(place, 0) for place in range(10)]
