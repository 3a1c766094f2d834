from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quillwork.prompting.target_index import GROUPS
from quillwork.prompting.targets import (
    BrokenTarget,
    Target,
    UnknownTarget,
    fit_negative,
    fit_prompt,
    for_encoder,
    for_file,
    index,
    load,
    search,
)
from quillwork.prompting.targets.fitting import asks_for, split_terms, term_key
from quillwork.prompting.targets.schema import FIELDS
from quillwork.safe_yaml import UnreadableYaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "prompting" / "targets"

# Saved workflows hold these ids: one may come, none may go.
PROMISED = {
    *("general", "plain", "midjourney_like"),
    *("z_image_turbo", "z_image", "qwen_image", "qwen_image_2512", "qwen_image_2_1"),
    *("flux1_dev", "flux1_schnell", "flux2_dev", "flux2_klein"),
    *("sd15", "sdxl", "pony_v6", "illustrious", "noobai", "animagine_xl_3", "animagine_xl_4"),
    *("anima", "anima_aesthetic", "newbie", "pony_v7"),
    *("hunyuan_image_2_1", "hunyuan_image_3", "hidream_i1", "hidream_o1", "lumina_2", "sana"),
    *("ernie_image", "krea_2", "ideogram_4", "boogu_image", "longcat_image"),
    *("flux1_kontext", "flux2_edit", "qwen_image_edit", "qwen_image_2_1_edit", "hidream_e1", "hidream_e1_1"),
    *("wan_2_1_t2v", "wan_2_1_i2v", "wan_2_2_t2v", "wan_2_2_i2v"),
    *("ltx_video", "ltx_video_i2v", "ltx_2", "ltx_2_i2v", "ltx_2_5", "ltx_2_5_i2v"),
    *("hunyuan_video_1_5_t2v", "hunyuan_video_1_5_i2v", "minimax_h3", "minimax_h3_i2v"),
    *("minimax_h3_fl2v", "minimax_h3_l2v", "minimax_h3_ref2v"),
    *("ace_step_1_5", "minimax_music_3", "stable_audio_3"),
    *("seedance_2", "seedance_2_5", "kling_3", "veo_3_1", "wan_2_7", "happyhorse_1_1", "bernini_r"),
    *("kandinsky_5", "kandinsky_5_t2v", "kandinsky_5_i2v", "kandinsky_5_edit", "joyimage_edit"),
    *("gpt_image", "nano_banana", "seedream_5", "glm_image", "fibo", "z_image_omni"),
    *("qwen_image_layered", "chroma", "sd35", "netayume"),
}
WEIGHT = re.compile(r"\([^()]*:\s*-?\d")
NOT_OURS_TO_WRITE = re.compile(
    r"^(Write no|Leave out|Turn |Use a period tag|Give a rating|Follow with one rating)"
)


@pytest.fixture(params=sorted(PROMISED))
def target(request: pytest.FixtureRequest) -> Target:
    return load(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# --- the shipped files -----------------------------------------------------------------------------------


def test_every_promised_id_is_there_and_every_file_is_promised() -> None:
    assert {entry.id for entry in index()} == PROMISED
    assert {path.stem for path in FOLDER.glob("*.yaml")} == PROMISED


def test_label_and_group_are_the_first_two_lines(target: Target) -> None:
    lines = (FOLDER / f"{target.id}.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("label: ")
    assert lines[1].startswith("group: ")


def test_the_list_and_the_file_agree(target: Target) -> None:
    entry = next(entry for entry in index() if entry.id == target.id)
    assert (entry.label, entry.group, entry.aliases) == (target.label, target.group, target.aliases)
    assert not entry.is_user


def test_group_goes_with_kind(target: Target) -> None:
    assert target.group in GROUPS
    by_kind = {"edit": "Image editing", "video": "Video", "image_to_video": "Image to video"}
    by_kind["audio"] = "Music and sound"
    assert (
        (target.group == by_kind[target.kind])
        if target.kind != "image"
        else target.group not in by_kind.values()
    )


def test_names_are_unambiguous() -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for entry in index():
        for name in (entry.id, entry.label, *entry.aliases):
            owners[re.sub(r"[\W_]+", "", name.casefold())].add(entry.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_rules_are_short_imperative_sentences(target: Target) -> None:
    assert 6 <= len(target.rules) <= 14
    assert len(set(target.rules)) == len(target.rules)
    for rule in target.rules:
        assert re.match(r"[A-Z]", rule), rule
        assert rule.endswith("."), rule
        assert len(rule) <= 200, rule


def test_lengths_are_sane(target: Target) -> None:
    assert set(target.languages) <= {"en", "zh", "any"}
    if target.words is not None:
        fewest, most = target.words
        assert 5 <= fewest < most <= 600
        if target.limit_tokens is not None and target.form != "tags":
            assert most * 1.3 <= target.limit_tokens * 1.05
    for rule in target.rules:  # a number in a rule does not contradict the field
        for found in re.findall(r"(?:at most|below|of \d+ to) (\d+) words", rule):
            assert target.words is not None
            assert int(found) == target.words[1]


def test_weights_are_taught_only_where_they_work(target: Target) -> None:
    teaches = any(WEIGHT.search(rule) or "weight" in rule.replace("weigh most", "") for rule in target.rules)
    assert teaches == target.weights


def test_negative_is_consistent(target: Target) -> None:
    assert bool(target.default_negative) == (target.negative == "default")
    if target.negative == "none":
        assert not target.negative_prefix
        assert not any("negative prompt" in rule for rule in target.rules)
    terms = [term_key(term) for term in split_terms(target.default_negative)]
    assert len(set(terms)) == len(terms)
    for unless in target.negative_unless:
        assert unless.asked
        assert {term_key(term) for term in unless.drop} <= set(terms)


def test_what_code_adds_is_not_also_asked_of_the_model(target: Target) -> None:
    for tag in [*split_terms(target.prefix), *split_terms(target.suffix)]:
        if "." in tag or ">" in tag:
            assert not any(tag in rule for rule in target.rules)
            continue
        for rule in target.rules:
            if re.search(rf"(?<!\w){re.escape(tag)}(?!\w)", rule):
                assert NOT_OURS_TO_WRITE.match(rule), (tag, rule)


def test_no_moderation_no_folklore(target: Target) -> None:
    rules = " ".join(target.rules).lower()
    for word in ("pg-13", "policy", "safe for work", "inappropriate", "offensive", "harmful"):
        assert word not in rules
    if target.kind == "image" and target.form == "prose":
        for rule in target.rules:
            if re.search(r"8k|4k|masterpiece", rule.lower()):
                assert rule.startswith("Leave out"), rule


def test_source_is_named(target: Target) -> None:
    assert target.source


def test_each_shared_encoder_has_one_default() -> None:
    owners: dict[str, list[Target]] = defaultdict(list)
    for entry in index():
        for encoder in load(entry.id).encoders:
            owners[encoder].append(load(entry.id))
    for encoder, sharing in owners.items():
        if len(sharing) > 1:
            assert len([one for one in sharing if one.encoder_default]) == 1, encoder
    assert all(encoder.startswith("comfy.") for encoder in owners)


def test_targets_are_hashable_plain_data(target: Target) -> None:
    assert hash(target) == hash(load(target.id))
    assert replace(target, label="x") != target


def test_image_to_video_leaves_out_what_is_seen() -> None:
    for entry in index():
        found = load(entry.id)
        if found.kind == "image_to_video":
            assert re.search(r"picture|frame", " ".join(found.rules)), entry.id


# --- finding ---------------------------------------------------------------------------------------------


def test_the_list_is_in_a_sensible_order() -> None:
    entries = index()
    assert entries[0].id == "general"
    groups = list(dict.fromkeys(entry.group for entry in entries))
    assert tuple(groups) == GROUPS
    assert next(entry.id for entry in entries if entry.group == "Stable Diffusion") == "sdxl"
    assert [entry.id for entry in entries if entry.group == "Z-Image"] == [
        "z_image_turbo",
        "z_image",
        "z_image_omni",
    ]


def test_listing_needs_no_yaml() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); import conftest\n"
        "from quillwork.prompting.targets import index, search\n"
        "print(len(index()), len(search('wan')), 'yaml' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [str(len(PROMISED)), "5", "False"], done.stderr


def test_listing_is_quick(folder: Path) -> None:
    for number in range(20):
        put(folder, f"mine_{number}", f"label: Mine {number}\nrules: [Write.]\n")
    index(folder)
    begun = time.process_time()
    for _ in range(20):
        index(folder)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("sdxl", "sdxl"),
        ("SDXL", "sdxl"),
        ("z-image-turbo", "z_image_turbo"),
        ("Z-Image Turbo", "z_image_turbo"),
        ("Flux.1 dev", "flux1_dev"),
        ("flux", "flux1_dev"),
        ("wan2.2", "wan_2_2_t2v"),
        ("Wan 2.2 image to video", "wan_2_2_i2v"),
        ("sd1.5", "sd15"),
        ("pony", "pony_v6"),
        (" plain ", "plain"),
    ],
)
def test_a_target_is_found_by_id_label_or_alias(name: str, id: str) -> None:
    assert load(name).id == id


@pytest.mark.parametrize(
    ("name", "close"), [("flux1_dve", "flux1_dev"), ("ilustrious", "illustrious"), ("sdx", "sdxl")]
)
def test_an_unknown_target_is_told_with_close_ones(name: str, close: str, folder: Path) -> None:
    with pytest.raises(UnknownTarget) as caught:
        load(name, folder)
    assert close in str(caught.value)
    # A browser anywhere may read it: where the user's files lie is none of its business.
    assert str(folder) not in str(caught.value)
    assert "README.md" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["", "auto", "../nothing", "...", "/etc/passwd", "x" * 5000, "sdxl.yaml/..", "\0"]
)
def test_strange_names_are_unknown(name: str) -> None:
    with pytest.raises(UnknownTarget) as caught:
        load(name)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("words", "some"),
    [
        ("wan", {"wan_2_1_t2v", "wan_2_1_i2v", "wan_2_2_t2v", "wan_2_2_i2v", "wan_2_7"}),
        ("wan image", {"wan_2_1_i2v", "wan_2_2_i2v"}),
        ("Z-IMAGE", {"z_image_turbo", "z_image", "z_image_omni"}),
        ("pdxl", {"pony_v6"}),
        ("kontext", {"flux1_kontext"}),
        ("no such model", set()),
        ("", PROMISED),
    ],
)
def test_search(words: str, some: set[str]) -> None:
    assert {entry.id for entry in search(words)} == some


# --- the encoder of a wired clip -------------------------------------------------------------------------

ENCODERS = [
    ("comfy.sd1_clip.SD1ClipModel", "comfy.sd1_clip.SD1Tokenizer", "sd15"),
    ("comfy.sdxl_clip.SDXLClipModel", "comfy.sdxl_clip.SDXLTokenizer", "sdxl"),
    ("comfy.sdxl_clip.SDXLRefinerClipModel", "comfy.sdxl_clip.SDXLTokenizer", "sdxl"),
    ("comfy.sdxl_clip.StableCascadeClipModel", "comfy.sdxl_clip.StableCascadeTokenizer", None),
    ("comfy.text_encoders.z_image.te", "comfy.text_encoders.z_image.ZImageTokenizer", "z_image_turbo"),
    ("comfy.text_encoders.qwen_image.te", "comfy.text_encoders.qwen_image.QwenImageTokenizer", "qwen_image"),
    ("comfy.text_encoders.flux.flux_clip", "comfy.text_encoders.flux.FluxTokenizer", "flux1_dev"),
    ("comfy.text_encoders.flux.flux2_te", "comfy.text_encoders.flux.Flux2Tokenizer", "flux2_dev"),
    ("comfy.text_encoders.flux.klein_te", "comfy.text_encoders.flux.KleinTokenizer", "flux2_klein"),
    ("comfy.text_encoders.flux.klein_te", "comfy.text_encoders.flux.KleinTokenizer8B", "flux2_klein"),
    ("comfy.text_encoders.aura_t5.AuraT5Model", "comfy.text_encoders.aura_t5.AuraT5Tokenizer", "pony_v7"),
    ("comfy.text_encoders.anima.te", "comfy.text_encoders.anima.AnimaTokenizer", "anima"),
    ("comfy.text_encoders.newbie.te", "comfy.text_encoders.newbie.NewBieTokenizer", "newbie"),
    ("comfy.text_encoders.lumina2.te", "comfy.text_encoders.lumina2.LuminaTokenizer", "lumina_2"),
    (
        "comfy.text_encoders.hidream.hidream_clip",
        "comfy.text_encoders.hidream.HiDreamTokenizer",
        "hidream_i1",
    ),
    (
        "comfy.text_encoders.hidream_o1.HiDreamO1TE",
        "comfy.text_encoders.hidream_o1.HiDreamO1Tokenizer",
        "hidream_o1",
    ),
    (
        "comfy.text_encoders.hunyuan_image.te",
        "comfy.text_encoders.hunyuan_image.HunyuanImageTokenizer",
        "hunyuan_image_2_1",
    ),
    (
        "comfy.text_encoders.hunyuan_image.te",
        "comfy.text_encoders.hunyuan_video.HunyuanVideo15Tokenizer",
        "hunyuan_video_1_5_t2v",
    ),
    ("comfy.text_encoders.ernie.te", "comfy.text_encoders.ernie.ErnieTokenizer", "ernie_image"),
    ("comfy.text_encoders.krea2.te", "comfy.text_encoders.krea2.Krea2Tokenizer", "krea_2"),
    ("comfy.text_encoders.ideogram4.te", "comfy.text_encoders.ideogram4.Ideogram4Tokenizer", "ideogram_4"),
    ("comfy.text_encoders.boogu.te", "comfy.text_encoders.boogu.BooguTokenizer", "boogu_image"),
    (
        "comfy.text_encoders.longcat_image.te",
        "comfy.text_encoders.longcat_image.LongCatImageTokenizer",
        "longcat_image",
    ),
    ("comfy.text_encoders.wan.te", "comfy.text_encoders.wan.WanT5Tokenizer", "wan_2_2_t2v"),
    ("comfy.text_encoders.lt.ltxv_te", "comfy.text_encoders.lt.LTXVT5Tokenizer", "ltx_video"),
    ("comfy.text_encoders.lt.ltxav_te", "comfy.text_encoders.lt.LTXAVGemmaTokenizer", "ltx_2"),
    ("comfy.text_encoders.lt.ltxav_te", "comfy.text_encoders.lt.ltxav_gemma4_tokenizer", "ltx_2_5"),
    ("comfy.text_encoders.minimax.te", "comfy.text_encoders.minimax.MiniMaxH3Tokenizer", "minimax_h3"),
    ("comfy.text_encoders.genmo.mochi_te", "comfy.text_encoders.genmo.MochiT5Tokenizer", None),
    ("comfy.text_encoders.pixart_t5.pixart_te", "comfy.text_encoders.pixart_t5.PixArtTokenizer", "chroma"),
    ("comfy.text_encoders.ace15.te", "comfy.text_encoders.ace15.ACE15Tokenizer", "ace_step_1_5"),
    ("comfy.text_encoders.ace.AceT5Model", "comfy.text_encoders.ace.AceT5Tokenizer", None),
    (
        "comfy.text_encoders.minimax_music.MiniMaxMusic3TEModel",
        "comfy.text_encoders.minimax_music.MiniMaxMusic3Tokenizer",
        "minimax_music_3",
    ),
    (
        "comfy.text_encoders.sa3.SAT5GemmaModel",
        "comfy.text_encoders.sa3.SAT5GemmaTokenizer",
        "stable_audio_3",
    ),
    (
        "comfy.text_encoders.kandinsky5.te",
        "comfy.text_encoders.kandinsky5.Kandinsky5Tokenizer",
        "kandinsky_5_t2v",
    ),
    (
        "comfy.text_encoders.kandinsky5.te",
        "comfy.text_encoders.kandinsky5.Kandinsky5TokenizerImage",
        "kandinsky_5",
    ),
    ("comfy.text_encoders.joyimage.te", "comfy.text_encoders.joyimage.JoyImageTokenizer", "joyimage_edit"),
    ("comfy.text_encoders.sd3_clip.sd3_clip", "comfy.text_encoders.sd3_clip.SD3Tokenizer", "sd35"),
    ("comfy.text_encoders.sd3_clip.T5XXLModel", "comfy.text_encoders.cogvideo.CogVideoXT5Tokenizer", None),
]


@pytest.mark.parametrize(("encoder", "tokenizer", "id"), ENCODERS)
def test_encoder_and_tokenizer_name_the_target(encoder: str, tokenizer: str, id: str | None) -> None:
    found = for_encoder(encoder, tokenizer)
    assert (found.id if found else None) == id


@pytest.mark.parametrize(
    ("encoder", "id"),
    [
        ("comfy.text_encoders.z_image.te.<locals>.ZImageTEModel_", "z_image_turbo"),
        ("comfy.text_encoders.z_image.ZImageTEModel_", "z_image_turbo"),
        ("comfy.text_encoders.flux.klein_te.<locals>.Flux2TEModel_", "flux2_klein"),
        ("comfy.text_encoders.flux.flux2_te.<locals>.Flux2TEModel_", "flux2_dev"),
        ("comfy.text_encoders.flux.Flux2TEModel_", "flux2_dev"),
        ("comfy.text_encoders.flux.FluxClipModel_", "flux1_dev"),
        ("comfy.text_encoders.minimax_music.MiniMaxMusic3TEModel", "minimax_music_3"),
        ("comfy.text_encoders.z_image_other.Model", None),
        ("some.other.pack.Model", None),
        ("", None),
    ],
)
def test_encoder_alone(encoder: str, id: str | None) -> None:
    found = for_encoder(encoder)
    assert (found.id if found else None) == id


PROBE = """
import importlib, inspect, json, sys
sys.argv = ["main.py", "--cpu"]
import comfy.options
comfy.options.enable_args_parsing()
pairs, known = json.loads(sys.stdin.read())
import comfy.sd, comfy.sdxl_clip, comfy.text_encoders.hidream_o1, comfy.text_encoders.gemma4

def find(path):
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            if not hasattr(thing, name):
                inside = inspect.ismodule(thing) and f"class {name}(" in inspect.getsource(thing)
                return "inside a factory" if inside else None
            thing = getattr(thing, name)
        return thing
    return None

def class_path(path):
    thing = find(path)
    if thing is None:
        return None
    if inspect.isfunction(thing):
        if path.endswith("ltxav_gemma4_tokenizer"):
            thing = thing(comfy.text_encoders.gemma4.Gemma4_12B.tokenizer)
        else:
            thing = thing()
    return f"{thing.__module__}.{thing.__qualname__}"

real = [[class_path(path) for path in pair] for pair in pairs]
print("RESULT" + json.dumps([real, [find(path) is not None for path in known]]))
"""


@pytest.mark.skipif(not os.environ.get("COMFYUI_PATH"), reason="COMFYUI_PATH names no ComfyUI")
def test_encoders_exist_in_a_real_comfyui() -> None:
    comfy = Path(os.environ["COMFYUI_PATH"]).resolve()
    known = sorted({encoder for entry in index() for encoder in load(entry.id).encoders})
    done = subprocess.run(
        [os.environ.get("COMFYUI_PYTHON") or sys.executable, "-c", PROBE],
        input=json.dumps([[pair[:2] for pair in ENCODERS], known]),
        env={**os.environ, "PYTHONPATH": str(comfy)},
        cwd=comfy,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert "RESULT" in done.stdout, done.stderr[-2000:]
    real, there = json.loads(done.stdout.rpartition("RESULT")[2])
    assert [path for path, is_there in zip(known, there, strict=True) if not is_there] == []
    for (encoder, tokenizer, id), (real_encoder, real_tokenizer) in zip(ENCODERS, real, strict=True):
        assert real_encoder, encoder
        assert real_tokenizer, tokenizer
        found = for_encoder(real_encoder, real_tokenizer)
        assert (found.id if found else None) == id, (real_encoder, real_tokenizer)


# --- the user's own --------------------------------------------------------------------------------------


def test_a_users_target(folder: Path) -> None:
    put(
        folder,
        "My Model",
        'label: "My model: 2"  # a comment\naliases: [mm2, "my m"]\nrules:\n  - Be brief.\nweights: yes\n',
    )
    entry = next(entry for entry in index(folder) if entry.is_user)
    assert (entry.id, entry.label, entry.group) == ("my_model", "My model: 2", "My targets")
    assert index(folder)[-1] == entry
    mine = load("mm2", folder)
    assert (mine.id, mine.label, mine.group) == ("my_model", "My model: 2", "My targets")
    assert mine.rules == ("Be brief.",)
    assert mine.weights is True
    assert mine.aliases == ("mm2", "my m")
    with pytest.raises(UnknownTarget):
        load("my_model")


def test_extends_and_overrides(folder: Path) -> None:
    put(
        folder,
        "watercolour",
        "label: Watercolour\nextends: sdxl\nwords: 20-45\nadd_rules: Name the paper.\nprefix: wtrclr,\n",
    )
    mine, base = load("watercolour", folder), load("sdxl")
    assert mine.words == (20, 45)
    assert mine.rules == (*base.rules, "Name the paper.")
    assert mine.default_negative == base.default_negative
    assert (mine.weights, mine.form) == (base.weights, base.form)
    assert mine.group == "My targets"
    assert mine.aliases == ()
    assert not mine.encoder_default


def test_extends_another_of_the_users(folder: Path) -> None:
    put(folder, "a", "label: A\nextends: b\nwords: [1, 2]\n")
    put(folder, "b", "label: B\nextends: flux1_dev\nsuffix: film grain.\n")
    mine = load("a", folder)
    assert (mine.label, mine.words, mine.suffix, mine.limit_tokens) == ("A", (1, 2), "film grain.", 512)


def test_rules_replace_inherited_ones(folder: Path) -> None:
    put(folder, "a", "extends: sdxl\nrules: [Only this.]\n")
    assert load("a", folder).rules == ("Only this.",)
    assert load("a", folder).label == "a"


def test_the_same_id_overrides_ours(folder: Path) -> None:
    put(folder, "sdxl", "extends: sdxl\ndefault_negative: mush\n")
    mine = load("sdxl", folder)
    assert mine.default_negative == "mush"
    assert (mine.label, mine.group, mine.rules) == (
        load("sdxl").label,
        load("sdxl").group,
        load("sdxl").rules,
    )
    assert mine.encoder_default
    entry = next(entry for entry in index(folder) if entry.id == "sdxl")
    assert entry.is_user
    assert entry.label == "SDXL"
    assert len(index(folder)) == len(index())
    found = for_encoder("comfy.sdxl_clip.SDXLClipModel", "", folder)
    assert found is not None
    assert found.default_negative == "mush"
    assert load("sdxl").default_negative != "mush"


def test_an_override_without_extends_starts_afresh(folder: Path) -> None:
    put(folder, "sdxl", "rules: [Write.]\n")
    mine = load("sdxl", folder)
    assert mine.rules == ("Write.",)
    assert mine.default_negative == ""
    assert mine.label == "SDXL"


def test_a_relative_does_not_take_over_auto_unless_it_says_so(folder: Path) -> None:
    put(folder, "relative", "extends: sdxl\n")
    found = for_encoder("comfy.sdxl_clip.SDXLClipModel", "", folder)
    assert found is not None
    assert found.id == "sdxl"
    put(folder, "relative", "extends: sdxl\nencoder_default: true\n")
    found = for_encoder("comfy.sdxl_clip.SDXLClipModel", "", folder)
    assert found is not None
    assert found.id == "relative"


def test_a_broken_file_of_the_users_does_not_stop_auto(folder: Path) -> None:
    put(folder, "bad", "words: many\nencoders: [comfy.sdxl_clip]\n")
    found = for_encoder("comfy.sdxl_clip.SDXLClipModel", "", folder)
    assert found is not None
    assert found.id == "sdxl"


def test_dropping_the_negative_drops_its_list(folder: Path) -> None:
    put(folder, "lightning", "extends: noobai\nnegative: none\n")
    mine = load("lightning", folder)
    assert (mine.negative, mine.default_negative, mine.negative_unless) == ("none", "", ())


def test_null_means_the_default(folder: Path) -> None:
    put(folder, "a", "label: A\nwords:\nprefix: ~\nrules: [Write.]\n")
    assert load("a", folder).words is None


def test_changes_are_seen_at_once(folder: Path) -> None:
    path = put(folder, "a", "label: One\nrules: [Write.]\n")
    assert (load("a", folder).label, index(folder)[-1].label) == ("One", "One")
    put(folder, "a", "label: Other\nrules: [Write.]\n")
    assert (load("a", folder).label, index(folder)[-1].label) == ("Other", "Other")
    path.unlink()
    assert len(index(folder)) == len(PROMISED)
    with pytest.raises(UnknownTarget):
        load("a", folder)


def test_a_missing_folder_is_empty(folder: Path) -> None:
    assert index(folder / "none") == index()
    assert load("sdxl", folder / "none") == load("sdxl")


def test_bom_crlf_and_other_files(folder: Path) -> None:
    (folder / "win.yaml").write_bytes(b"\xef\xbb\xbflabel: Win\r\ngroup: Theirs\r\nrules: [Write.]\r\n")
    (folder / "old.yml").write_bytes(b"label: Old\nrules: [Write.]\n")
    (folder / "notes.txt").write_text("label: No")
    (folder / ".hidden.yaml").write_text("label: No")
    (folder / "auto.yaml").write_text("label: No")
    assert [(entry.id, entry.group) for entry in index(folder) if entry.is_user] == [
        ("old", "My targets"),
        ("win", "Theirs"),
    ]
    assert load("win", folder).label == "Win"


BAD = [
    ("", None, "is empty"),
    ("- a\n- b\n", None, "a list"),
    ("just text\n", None, "just text"),
    ("label: A\nrulez: [x]\n", 2, "rulez"),
    ("label: A\nrules:\n  a: b\n", 2, "rules"),
    ("label: A\nrules:\n  - order: subject first\n", 2, "quotes"),
    ("label: [A]\n", 1, "label"),
    ("label: ''\n", 1, "label"),
    ("kind: picture\n", 1, "image_to_video"),
    ("form: poem\n", 1, "tags_and_prose"),
    ("negative: maybe\n", 1, "optional"),
    ("label: A\n\nwords: 30\n", 3, "[30, 80]"),
    ("words: [80, 30]\n", 1, "[30, 80]"),
    ("words: [0, 30]\n", 1, "above 0"),
    ("words: [1, 2, 3]\n", 1, "words"),
    ("limit_tokens: -5\n", 1, "limit_tokens"),
    ("limit_tokens: many\n", 1, "limit_tokens"),
    ("weights: perhaps\n", 1, "true or false"),
    ("languages: English\n", 1, "english"),
    ("languages: []\n", 1, "at least one"),
    ("encoders: [{a: b}]\n", 1, "encoders"),
    ("negative_unless: [{asked: [x]}]\n", 1, "drop"),
    ("label: A\ndefault_negative: x\n", 2, "negative: default"),
    ("extends: sdxll\n", 1, "sdxl"),
    ("extends: bad\n", 1, "extends"),
    ("label: A\nform: any\n", None, "rules"),
    ("prefix: " + "x" * 9000, 1, "8000"),
    ("label: a: b\n", 1, "not valid YAML"),
    ("label: A\nrules: *x\n", 2, "aliases"),
    ("label: A\nlabel: B\n", 2, "twice"),
    ("#" + "x" * 300_000, None, "256 kB"),
]


@pytest.mark.parametrize(("text", "line", "part"), BAD)
def test_a_bad_file_is_told_in_one_sentence(folder: Path, text: str, line: int | None, part: str) -> None:
    put(folder, "bad", text)
    with pytest.raises(UnreadableYaml) as caught:
        load("bad", folder)
    message = str(caught.value)
    assert message.startswith("bad.yaml")
    assert part in message
    assert "\n" not in message
    assert caught.value.line == line
    assert len(index(folder)) == len(PROMISED) + 1  # it is listed all the same


def test_an_unknown_field_names_the_known_ones(folder: Path) -> None:
    put(folder, "bad", "rulez: []\n")
    with pytest.raises(BrokenTarget) as caught:
        load("bad", folder)
    assert all(field in str(caught.value) for field in FIELDS)


def test_extends_in_a_circle(folder: Path) -> None:
    put(folder, "a", "extends: b\n")
    put(folder, "b", "extends: c\n")
    put(folder, "c", "extends: a\n")
    with pytest.raises(BrokenTarget, match=r"circular \(a\.yaml → b\.yaml → c\.yaml → a\.yaml\)"):
        load("a", folder)


def test_the_error_of_a_parent_names_the_parents_file(folder: Path) -> None:
    put(folder, "child", "extends: parent\n")
    put(folder, "parent", "label: P\nwords: none\n")
    with pytest.raises(BrokenTarget, match=r"^parent\.yaml, line 2"):
        load("child", folder)


def test_the_readme_describes_every_field_and_its_example_works(folder: Path) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [field for field in FIELDS if f"`{field}`" not in readme] == []
    example = re.search(r"```yaml\n(.+?)```", readme, re.DOTALL)
    assert example
    put(folder, "mine", example[1])
    assert load("mine", folder).prefix


# --- what code adds --------------------------------------------------------------------------------------


def test_pony_gets_its_score_chain_once() -> None:
    pony = load("pony_v6")
    fitted = fit_prompt(pony, "a fox in the snow, rating_safe")
    assert fitted.startswith(
        "score_9, score_8_up, score_7_up, score_6_up, score_5_up, score_4_up, a fox in the snow"
    )
    assert fit_prompt(pony, fitted) == fitted
    assert fit_prompt(pony, "Score_9, score_8_up, a fox in the snow, rating_safe") == fitted


def test_tags_already_elsewhere_are_not_repeated() -> None:
    assert (
        fit_prompt(load("illustrious"), "1girl, Best_Quality, smile")
        == "1girl, Best_Quality, smile, masterpiece"
    )
    assert (
        fit_prompt(load("illustrious"), "1girl, (masterpiece:1.2)")
        == "1girl, (masterpiece:1.2), best quality"
    )
    assert fit_prompt(load("illustrious"), "1girl, masterpiece,") == "1girl, masterpiece, best quality"
    assert (
        fit_prompt(load("animagine_xl_4"), "1girl.")
        == "1girl, masterpiece, high score, great score, absurdres"
    )


def test_the_users_rating_and_period_win() -> None:
    fitted = split_terms(fit_prompt(load("noobai"), "1girl, nsfw, old"))
    assert "safe" not in fitted
    assert "newest" not in fitted
    assert fitted[:2] == ["masterpiece", "best quality"]
    assert "safe" in split_terms(fit_prompt(load("noobai"), "1girl"))


def test_lumina_gets_its_opening_once() -> None:
    lumina = load("lumina_2")
    fitted = fit_prompt(lumina, "A red fox.")
    assert fitted.endswith("user prompts. <Prompt Start> A red fox.")
    assert fit_prompt(lumina, fitted) == fitted
    assert (
        fit_prompt(lumina, "You are an artist. <prompt start> A fox.")
        == "You are an artist. <prompt start> A fox."
    )
    assert fit_negative(lumina, "a fox", "blurry").endswith("<Prompt Start> blurry")
    assert fit_negative(lumina, "a fox", "") == ""


def test_the_fixed_line_of_h3_keeps_its_blank_line() -> None:
    h3 = load("minimax_h3_i2v")
    fitted = fit_prompt(h3, "integrated_multimodal_description: [Shot 1] x")
    assert "referenced.\n\nintegrated" in fitted
    assert fit_prompt(h3, fitted) == fitted


def test_blank_text_stays_blank(target: Target) -> None:
    assert fit_prompt(target, "") == ""
    assert fit_prompt(target, "  \n") == "  \n"


@cache
def some_targets() -> tuple[Target, ...]:
    return tuple(
        map(load, ("pony_v6", "noobai", "illustrious", "animagine_xl_4", "lumina_2", "anima", "plain"))
    )


@given(
    st.lists(
        st.sampled_from(["1girl", "masterpiece", "(best quality:1.2)", "safe", "A fox.", "score_9", "", "x"])
    )
)
def test_fitting_twice_changes_nothing(terms: list[str]) -> None:
    for found in some_targets():
        once = fit_prompt(found, ", ".join(terms))
        assert fit_prompt(found, once) == once


@given(st.text(max_size=60))
def test_any_text_is_kept(text: str) -> None:
    pony, noobai, *_ = some_targets()
    fitted = fit_prompt(pony, text)
    assert text.strip() in fitted or any(tag in text for tag in ("score_", ","))
    fit_negative(noobai, text, text)


def test_no_negative_where_it_has_no_effect() -> None:
    assert fit_negative(load("flux1_dev"), "a fox", "blurry, text") == ""


def test_optional_negative_is_what_was_written() -> None:
    assert (
        fit_negative(load("pony_v6"), "a fox", " blurry,, Blurry , (bad hands:1.2), bad hands")
        == "blurry, (bad hands:1.2)"
    )
    assert fit_negative(load("pony_v6"), "a fox", "") == ""


def test_default_and_written_are_merged() -> None:
    merged = split_terms(fit_negative(load("sd15"), "a fox", "low_quality, cars, Text."))
    assert merged == [
        "low quality",
        "blurry",
        "deformed",
        "extra limbs",
        "bad hands",
        "watermark",
        "text",
        "cars",
    ]


@pytest.mark.parametrize(
    ("id", "prompt", "gone"),
    [
        ("sdxl", "portrait, blurry background", {"blurry"}),
        ("sdxl", 'a shop with a sign "OPEN"', {"text"}),
        ("sdxl", "a shop with the word “OPEN”", {"text"}),
        ("sdxl", "a picture without watermark and no text", set()),
        ("sdxl", "a textured wall", set()),
        ("sdxl", "watermarks on paper", {"watermark"}),
        ("sdxl", "old photo, low-quality scan", {"low quality"}),
        ("illustrious", "1girl, manga, comic", {"comic", "multiple views"}),
        ("noobai", "a furry wolf", {"mammal", "anthro", "furry", "ambiguous form", "feral", "semi-anthro"}),
        (
            "noobai",
            "a red fox in the snow",
            {"mammal", "anthro", "furry", "ambiguous form", "feral", "semi-anthro"},
        ),
        ("noobai", "an old man", {"old"}),
        ("animagine_xl_4", "1girl, blurry_background", {"blurry"}),
        ("anima", "1girl, chromatic aberration", {"chromatic aberration"}),
        ("wan_2_2_t2v", "a statue in fog", {"静态", "静止", "静止不动的画面", "整体发灰"}),
        ("wan_2_2_t2v", "一幅水彩画", {"风格", "作品", "画作", "画面"}),
        ("wan_2_2_t2v", "人走在街上，没有字幕", set()),
        (
            "ltx_2",
            "an anime girl waves",
            {"cartoonish rendering", "3D CGI look", "uncanny valley", "jittery motion"},
        ),
        ("ltx_2", 'he says "text me"', set()),
        ("qwen_image_2512", "a wax figure", {"蜡像感", "过度光滑", "人脸无细节", "画面具有AI感"}),
    ],
)
def test_default_terms_that_the_prompt_asks_for_are_dropped(id: str, prompt: str, gone: set[str]) -> None:
    found = load(id)
    everything = set(split_terms(found.default_negative))
    assert everything - set(split_terms(fit_negative(found, prompt, ""))) == gone


def test_chinese_lists_are_joined_the_chinese_way() -> None:
    joined = fit_negative(load("wan_2_2_t2v"), "a fox", "cars, 汽车")
    assert ", " not in joined
    assert joined.endswith("，cars，汽车")


@pytest.mark.parametrize(
    ("prompt", "term", "asked"),
    [
        ("a comic", "comic", True),
        ("comics", "comic", True),
        ("economic", "comic", False),
        ("no comic", "comic", False),
        ("not a comic, a photo", "comic", False),
        ("no cars, a comic", "comic", True),
        ("avoid any text", "text", False),
        ("bad_hands", "bad hands", True),
        ("不要字幕", "字幕", False),
        ("有字幕", "字幕", True),
    ],
)
def test_asking_for(prompt: str, term: str, asked: bool) -> None:
    assert asks_for(prompt, term) is asked


def test_terms_keep_brackets_together() -> None:
    assert split_terms("(a, b:1.2), c\\(d, e\\) , [x, y]，z") == [
        "(a, b:1.2)",
        "c\\(d",
        "e\\)",
        "[x, y]",
        "z",
    ]


@pytest.mark.parametrize(
    ("encoder", "file", "target"),
    [
        ("comfy.sdxl_clip.SDXLClipModel", "SDXL/illustriousXL_v0.1.safetensors", "illustrious"),
        ("comfy.sdxl_clip.SDXLClipModel", "NoobAI-XL-Vpred.safetensors", "noobai"),
        ("comfy.sdxl_clip.SDXLClipModel", "pony\\ponyDiffusionV6XL.safetensors", "pony_v6"),
        ("comfy.sdxl_clip.SDXLClipModel", "animagine-xl-3.1.safetensors", "animagine_xl_3"),
        ("comfy.sdxl_clip.SDXLClipModel", "animagine-xl-4.0-opt.safetensors", "animagine_xl_4"),
        ("comfy.sdxl_clip.SDXLClipModel", "pony/juggernautXL_v9.safetensors", "sdxl"),
        ("comfy.sdxl_clip.SDXLClipModel", "", "sdxl"),
        ("comfy.text_encoders.lumina2.te", "NetaYumev35_all_in_one.safetensors", "netayume"),
        ("comfy.text_encoders.lumina2.te", "lumina_2.safetensors", "lumina_2"),
        # A name alone makes no model of another encoder.
        ("comfy.text_encoders.lumina2.te", "illustriousXL.safetensors", "lumina_2"),
        ("comfy.text_encoders.flux.flux_clip", "flux1-schnell-fp8.safetensors", "flux1_schnell"),
    ],
)
def test_a_checkpoints_name_tells_apart_what_shares_an_encoder(encoder, file, target) -> None:
    found = for_encoder(encoder, file=file)
    assert found is not None
    assert found.id == target


def test_a_checkpoints_name_alone_tells_some(tmp_path: Path) -> None:
    found = for_file("illustriousXL_v0.1.safetensors")
    assert found is not None
    assert found.id == "illustrious"
    assert for_file("model.safetensors") is None
    (tmp_path / "mine.yaml").write_text("extends: illustrious\n")
    assert for_file("illustriousXL.safetensors", tmp_path) == found
    (tmp_path / "mine.yaml").write_text("extends: illustrious\nfiles: [Illustrious XL]\n")
    mine = for_file("illustriousXL.safetensors", tmp_path)
    assert mine is not None
    assert mine.id == "mine"
