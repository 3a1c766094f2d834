"""Target of a checkpoint: by its name, by what is loaded, by the page's preset."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

from quillwork.interfaces.sdwebui.host.checkpoint import loaded_model, target_of


def job(checkpoint: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(override_settings={"sd_model_checkpoint": checkpoint} if checkpoint else {})


@pytest.fixture
def host(monkeypatch):
    """Set up a host whose chosen and loaded model the test gives."""

    def made(model: object = None, file: str = "", **options: str) -> None:
        package = ModuleType("modules")
        aliases = {options.get("sd_model_checkpoint"): SimpleNamespace(filename=file)}
        package.shared = SimpleNamespace(opts=SimpleNamespace(**options))  # type: ignore[attr-defined]
        data = SimpleNamespace(sd_model=model)
        package.sd_models = SimpleNamespace(  # type: ignore[attr-defined]
            model_data=data, checkpoint_aliases=aliases
        )
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
        ("flux-2-klein-4b-fp8.safetensors", "flux2_klein"),
        ("Chroma1-HD-fp8.safetensors", "chroma"),
        ("chromatic_dreams_v2.safetensors", "general"),
        ("ernie-image-turbo.safetensors", "ernie_image"),
        ("krea2_turbo_bf16.safetensors", "krea_2"),
        ("flux1-krea-dev.safetensors", "flux1_dev"),
        ("NetaYumev35_pretrained.safetensors", "netayume"),
        ("lumina_2_model_bf16.safetensors", "lumina_2"),
        ("wan2.2_i2v_high_noise_14B_fp8.safetensors", "wan_2_2_i2v"),
        ("Wan2_2-T2V-A14B-Q4.gguf", "wan_2_2_t2v"),
        ("wan2.1_t2v_1.3B.safetensors", "wan_2_1_t2v"),
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
        (engine("Chroma"), "chroma"),
        (engine("Flux2", model_config=engine("Flux2K4B")), "flux2_klein"),
        (engine("Krea2", is_wan=True), "krea_2"),
        (engine("ErnieImage"), "ernie_image"),
        (engine("Anima", is_wan=True), "anima"),
        (engine("Wan", model_config=engine("WAN21_T2V")), "wan_2_1_t2v"),
        (engine("Wan", model_config=engine("WAN21_I2V")), "wan_2_1_i2v"),
        (engine("Lumina2"), "lumina_2"),
        (engine("PiD"), "general"),
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


@pytest.mark.parametrize(
    ("tensors", "target"),
    [
        (["cond_stage_model.transformer.a", "model.diffusion_model.b"], "sd15"),
        (["conditioner.embedders.0.a", "conditioner.embedders.1.b"], "sdxl"),
        (["model.diffusion_model.double_blocks.0", "model.diffusion_model.guidance_in.a"], "flux1_dev"),
        (["double_blocks.0.a", "img_in.weight"], "flux1_schnell"),
        (["double_blocks.0.a", "img_in.weight", "distilled_guidance_layer.norms.0.scale"], "chroma"),
        (["double_blocks.0.a", "img_in.weight", "double_stream_modulation_img.lin.weight"], "flux2_klein"),
        (["double_stream_modulation_img.lin.weight", "guidance_in.in_layer.weight"], "flux2_dev"),
        (["txtfusion.projector.weight"], "krea_2"),
        (["cap_embedder.1.weight", "noise_refiner.0.a", "cap_pad_token"], "z_image"),
        (["cap_embedder.1.weight", "noise_refiner.0.a"], "lumina_2"),
        (["llm_adapter.blocks.0.cross_attn.q_proj.weight"], "anima"),
        (["something.else"], "general"),
        (None, "general"),
    ],
)
def test_by_what_the_file_holds_before_it_is_loaded(host, tmp_path, tensors, target):
    file = tmp_path / "dreamy.safetensors"
    header = json.dumps({name: {} for name in tensors}).encode() if tensors else b"\0" * 100
    file.write_bytes(len(header).to_bytes(8, "little") + header if tensors else b"\xff" * 20)
    host(engine("FakeInitialModel"), str(file), sd_model_checkpoint="dreamy.safetensors")
    assert target_of(job()).id == target


def test_the_page_s_preset_comes_last(host):
    host(None, sd_model_checkpoint="dreamy.safetensors", forge_preset="flux")
    assert target_of(job()).id == "flux1_dev"
    host(engine("StableDiffusion", is_sd1=True), sd_model_checkpoint="dreamy.safetensors", forge_preset="xl")
    assert target_of(job()).id == "sd15"


@pytest.mark.parametrize(
    ("preset", "target"),
    [
        ("sd", "general"),
        ("xl", "sdxl"),
        ("klein", "flux2_klein"),
        ("lumina", "lumina_2"),
        ("zit", "z_image_turbo"),
        ("wan", "wan_2_2_t2v"),
        ("anima", "anima"),
        ("ernie", "ernie_image"),
        ("pid", "general"),
        ("krea", "krea_2"),
    ],
)
def test_every_preset_of_forge_neo(host, preset, target):
    host(None, sd_model_checkpoint="dreamy.safetensors", forge_preset=preset)
    assert target_of(job()).id == target


def test_asking_what_is_loaded_loads_nothing(monkeypatch):
    class Data:
        sd_model = None

        def get_sd_model(self) -> None:
            raise AssertionError("it was loaded")

    package = ModuleType("modules")
    package.sd_models = SimpleNamespace(model_data=Data())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", package)
    assert loaded_model() is None
