"""Which target a checkpoint means: by its name, by what is loaded, by the page's preset."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from quillwork.interfaces.sdwebui.checkpoint import loaded_model, target_of


def job(checkpoint: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(override_settings={"sd_model_checkpoint": checkpoint} if checkpoint else {})


@pytest.fixture
def host(monkeypatch):
    """A host of which we are told what is chosen and what is loaded."""

    def made(model: object = None, **options: str) -> None:
        package = ModuleType("modules")
        package.shared = SimpleNamespace(opts=SimpleNamespace(**options))  # type: ignore[attr-defined]
        package.sd_models = SimpleNamespace(model_data=SimpleNamespace(sd_model=model))  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "modules", package)

    return made


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("ponyDiffusionV6XL_v6StartWithThisOne.safetensors [67ab2fd8ec]", "pony_v6"),
        ("SDXL/noobaiXLNAIXL_vPred10Version.safetensors", "noobai"),
        ("Illustrious-XL-v0.1.safetensors", "illustrious"),
        ("animagine-xl-4.0.safetensors", "animagine_xl_4"),
        ("animagineXLV31_v31.safetensors", "animagine_xl_3"),
        ("flux1-dev-bnb-nf4-v2.safetensors", "flux1_dev"),
        ("flux1-schnell-Q4_K_S.gguf", "flux1_schnell"),
        ("flux1-kontext-dev.safetensors", "flux1_kontext"),
        ("z_image_turbo_bf16.safetensors", "z_image_turbo"),
        ("qwen_image_edit_2509.safetensors", "qwen_image_edit"),
        ("sd_xl_base_1.0.safetensors", "sdxl"),
        ("v1-5-pruned-emaonly.safetensors [6ce0161689]", "sd15"),
        ("juggernautXL_v9.safetensors", "sdxl"),
        ("dreamshaper_8.safetensors", "general"),
        ("", "general"),
    ],
)
def test_by_the_name(name, target):
    assert target_of(job(name)).id == target


def engine(name: str, **flags: bool) -> object:
    return type(name, (), flags)()


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (engine("StableDiffusion", is_sd1=True), "sd15"),
        (engine("StableDiffusionXL", is_sdxl=True, is_sd1=False), "sdxl"),
        (engine("Flux"), "flux1_dev"),
        (engine("Flux", model_config=engine("FluxSchnell")), "flux1_schnell"),
        (engine("LatentDiffusion", is_sd1=True), "sd15"),
        (engine("StableDiffusionXLPipeline"), "sdxl"),
        (engine("StableDiffusionPipeline"), "sd15"),
        (engine("StableDiffusion3Pipeline"), "general"),
        (engine("Flux2Pipeline"), "flux2_dev"),
        (engine("ZImagePipeline"), "z_image"),
        (engine("Chroma"), "general"),
        (engine("FakeInitialModel"), "general"),
        (None, "general"),
    ],
)
def test_by_what_is_loaded(host, model, target):
    host(model, sd_model_checkpoint="dreamy_8.safetensors")
    assert target_of(job()).id == target


def test_a_family_is_told_by_its_name_alone(host):
    host(engine("StableDiffusionXL", is_sdxl=True), sd_model_checkpoint="ponyXL.safetensors")
    assert target_of(job()).id == "pony_v6"
    assert target_of(job("sdxl_base.safetensors")).id == "sdxl", "the job has another than the one loaded"


def test_what_is_loaded_knows_better_than_a_name(host):
    host(engine("Flux"), sd_model_checkpoint="my_xl_lookalike.safetensors")
    assert target_of(job()).id == "flux1_dev"


def test_the_page_s_preset_comes_last(host):
    host(None, sd_model_checkpoint="dreamy.safetensors", forge_preset="flux")
    assert target_of(job()).id == "flux1_dev"
    host(engine("StableDiffusion", is_sd1=True), sd_model_checkpoint="dreamy.safetensors", forge_preset="xl")
    assert target_of(job()).id == "sd15"


def test_asking_what_is_loaded_loads_nothing(monkeypatch):
    class Data:
        sd_model = None

        def get_sd_model(self) -> None:
            raise AssertionError("it was loaded")

    package = ModuleType("modules")
    package.sd_models = SimpleNamespace(model_data=Data())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", package)
    assert loaded_model() is None
