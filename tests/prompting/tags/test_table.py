"""Tag tables in the formats of extensions for completion."""

from __future__ import annotations

import pytest
from prompting.tags.conftest import DANBOORU, E621

from quillwork.prompting.tags import table
from quillwork.prompting.tags.table import table_for

BOTH = """\
1girl,0,6008644,
wolf,7,300000,wolves
husky_(artist),8,20,
canid,12,1330449,
"""


def found(tag: str, *boards: str) -> tuple[str, str] | None:
    return table_for(boards or ("danbooru",)).find(tag)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("long_hair", ("long_hair", "general")),
        ("Long  Hair", ("long_hair", "general")),
        ("longhair", ("long_hair", "general")),
        (r"saber \(fate\)", ("saber_(fate)", "character")),
        ("vocaloid 2", ("vocaloid", "series")),
        ("wlop", ("wlop", "artist")),
        ("high res", ("highres", "meta")),
        ("^^", ("^_^", "general")),
        ("/lh", None),
        ("long hairs", None),
        ("", None),
    ],
)
def test_a_tag_is_found_in_any_spelling(board, tag, expected):
    board("danbooru.csv", DANBOORU)
    assert found(tag) == expected


def test_a_board_that_the_model_does_not_know_is_not_looked_at(board):
    board("e621.csv", E621)
    assert table_for(("danbooru",)) is None
    assert found("k9", "danbooru", "e621") == ("canine", "species")
    assert table_for(()) is None


def test_the_first_board_wins_and_a_tag_wins_over_an_alias(board):
    board("e621.csv", E621)
    board("danbooru.csv", DANBOORU)
    assert found("high_res", "danbooru", "e621") == ("highres", "meta")
    assert found("outside", "danbooru", "e621") == ("outside", "general")
    assert found("outside", "danbooru") == ("outdoors", "general")


def test_a_list_of_both_boards_is_read_for_each(board):
    board("danbooru_e621_merged.csv", BOTH)
    assert found("wolves") is None
    assert found("wolves", "danbooru", "e621") == ("wolf", "general")
    assert found("canid", "danbooru", "e621") == ("canid", "species")


@pytest.mark.parametrize(
    ("name", "text", "tag", "kept"),
    [
        ("danbooru_tags.csv", "tag,category,count,alias\nrain,0,5,\n", "rain", ("rain", 5, "")),
        ("autocomplete.txt", "rain\r\nsnow,7\r\n", "snow", ("snow", 7, "")),
        ("autocomplete.txt", "long_hair,longhair\n", "longhair", ("long_hair", 0, "longhair")),
        ("autocomplete.txt", "long_hair,longhair,12\n", "longhair", ("long_hair", 12, "longhair")),
        ("escaped.csv", 'saber_\\(fate\\),4,9,"a,b"\n', "saber (fate)", ("saber_(fate)", 9, "a,b")),
        ("quality.csv", "masterpiece,5,Quality tag,\n", "masterpiece", ("masterpiece", 0, "")),
        ("null.csv", "rain,0,5,null\n", "rain", ("rain", 5, "")),
        ("bom.csv", "\ufeffrain,0,5,\n", "rain", ("rain", 5, "")),
    ],
)
def test_the_formats_of_other_extensions(board, name, text, tag, kept):
    board(name, text)
    known = table_for(("danbooru",))
    row = known.rows[table.key_of(tag)]
    assert (known.names[row], known.counts[row], known.aliases.get(row, "")) == kept


def test_a_phrase_for_a_short_word_is_no_tag(board):
    board("danbooru_tags_chants.csv", '"masterpiece, best quality",5,9999999,<c:Basic>\nrain,0,1,\n')
    assert table_for(("danbooru",)).names == ["rain"]


def test_a_table_is_read_once_and_again_when_it_has_changed(board):
    path = board("danbooru.csv", DANBOORU)
    first = table_for(("danbooru",))
    assert table_for(("danbooru",)) is first
    path.write_text("snow,0,1,\nrain,0,2,\n", "utf-8")
    assert [row[0] for row in table_for(("danbooru",)).by_count()] == ["rain", "snow"]


def test_a_file_that_is_gone_counts_as_none(board):
    board("danbooru.csv", DANBOORU).unlink()
    assert table_for(("danbooru",)) is None


def test_too_large_a_file_is_told_and_not_read(board, monkeypatch):
    board("danbooru.csv", DANBOORU)
    monkeypatch.setattr(table, "_MOST_BYTES", 10)
    known = table_for(("danbooru",))
    assert known.names == []
    assert known.problems == ["The tag table danbooru.csv is larger than 64 MB and was not read."]


def test_there_is_an_end_to_the_tags_of_all_tables(board, monkeypatch):
    board("danbooru.csv", DANBOORU)
    monkeypatch.setattr(table, "_MOST_TAGS", 3)
    assert len(table_for(("danbooru",)).names) == 3
