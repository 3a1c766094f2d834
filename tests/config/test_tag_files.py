"""Where tag tables are found: in Quillwork's own folder, and in the folders of extensions beside it."""

from __future__ import annotations

from quillwork.config.tag_files import tag_files
from quillwork.llm_backends.system import command_line


def test_tables_of_the_user_come_before_those_of_extensions(home, tmp_path, monkeypatch):
    packs = tmp_path / "custom_nodes"
    monkeypatch.setattr(command_line, "_pack", packs / "quillwork")
    wanted = [
        home / "tags/a.csv",
        home / "tags/b.txt",
        packs / "a1111-sd-webui-tagcomplete/tags/danbooru.csv",
        packs / "a1111-sd-webui-tagcomplete/tags/e621.csv",
        packs / "ComfyUI-Autocomplete-Plus/data/danbooru_tags.csv",
        packs / "ComfyUI-Autocomplete-Plus/data/danbooru_tags_meta.csv",
        packs / "ComfyUI-Custom-Scripts/user/autocomplete.txt",
    ]
    others = [
        home / "tags/notes.md",
        packs / "a1111-sd-webui-tagcomplete/tags/EnglishDictionary.csv",
        packs / "a1111-sd-webui-tagcomplete/tags/derpibooru.csv",
        packs / "ComfyUI-Autocomplete-Plus/data/danbooru_tags_cooccurrence.csv",
        packs / "some-other-pack/tags/danbooru.csv",
    ]
    for file in (*wanted, *others):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert list(tag_files()) == wanted


def test_there_need_be_none(home, tmp_path, monkeypatch):
    monkeypatch.setattr(command_line, "_pack", tmp_path / "nowhere" / "quillwork")
    assert tag_files() == ()
