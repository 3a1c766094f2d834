"""Print, as JSON, what the mode host_encoder makes of a picture with ComfyUI's encoder classes, shrunken and
with random weights: for each its answer's tokens to two pictures, and how long the prompt came out.

python encoder_vision.py COMFYUI REPOSITORY
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import sys
from types import SimpleNamespace
from typing import Any

COMFYUI, REPOSITORY = sys.argv[1:3]
sys.argv = ["main.py", "--cpu"]
sys.path.insert(0, COMFYUI)

WIDTH = 64
SMALL: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
EYES: dict[str, Any] = {"hidden_size": 64, "num_heads": 4, "intermediate_size": 64, "depth": 2}
SIGLIP = {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}
GEMMA_4 = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<|turn>": 105, "<turn|>": 106, "<|think|>": 98}
GEMMA_4 |= {
    "<|channel>": 100,
    "<channel|>": 101,
    "<|image>": 255_999,
    "<image|>": 258_882,
    "<|image|>": 258_880,
}
QWEN_35 = {"<|im_start|>": 248_045, "<|im_end|>": 248_046, "<think>": 248_068, "</think>": 248_069}
QWEN_35 |= {"<|vision_start|>": 248_053, "<|vision_end|>": 248_054, "<|image_pad|>": 248_056}
# A picture in the middle of a prompt, wider than high.
SIZE = (320, 160)


def shrink() -> None:
    """Make the vision parts small; the rest follows from `model_options`."""
    importlib.import_module("comfy.sd")
    from comfy import text_encoders as t

    for name in t.qwen3vl.QWEN3VL_VISION:
        t.qwen3vl.QWEN3VL_VISION[name] = EYES | {"deepstack_visual_indexes": [0, 1]}
    for model in t.qwen35.QWEN35_MODELS.values():
        model["vision"] = EYES
    siglip = t.llama.GEMMA3_VISION_CONFIG | SIGLIP
    t.llama.Gemma3_4B_Vision_Config.vision_config = t.llama.Gemma3_12B_Config.vision_config = siglip
    config = t.gemma4.Gemma4Config
    config.vision_config = config.vision_config | SIGLIP | {"head_dim": 16}
    config.head_dim, config.global_head_dim, config.num_kv_shared_layers = 32, 32, 0
    config.sliding_attention = [512, False]
    config.audio_config = config.audio_config | {"hidden_size": 64, "num_hidden_layers": 1}


def words() -> bytes:
    """A SentencePiece model of few words, with Gemma's marks."""
    import sentencepiece

    marks = ["<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"]
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["What is to be seen in this picture of a fox in the snow"] * 9),
        model_writer=file,
        vocab_size=60,
        model_type="bpe",
        byte_fallback=False,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        user_defined_symbols=marks,
        hard_vocab_limit=False,
    )
    return file.getvalue()


def piped(names: dict[str, int]) -> bytes:
    """A tokenizer of characters, with a family's marks at their places."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    letters = {chr(97 + place): 200 + place for place in range(26)} | {" ": 230, "\n": 231}
    made = Tokenizer(models.WordLevel(names | letters | {"<unk>": 3}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    made.add_special_tokens(list(names))
    return bytes(made.to_str(), "utf-8")


def clips() -> dict[str, Any]:
    """A function for each encoder that makes its `clip`."""
    import comfy.sd
    import torch
    from comfy import sd1_clip
    from comfy import text_encoders as t

    def tensor(data: bytes) -> Any:
        return torch.frombuffer(bytearray(data), dtype=torch.uint8)

    # Its vocabulary is too large for some copies of ComfyUI.
    class Qwen35Words(sd1_clip.SDTokenizer):
        def __init__(self, embedding_directory: Any = None, tokenizer_data: Any = None) -> None:
            super().__init__(
                tensor(piped(QWEN_35)),
                tokenizer_class=t.gemma4._Gemma4Tokenizer,
                has_start_token=False,
                has_end_token=False,
                pad_with_end=False,
                pad_to_max_length=False,
                max_length=9999,
                min_length=1,
                pad_token=0,
            )

    def clip(te: Any, tokenizer: Any, name: str, **more: Any) -> Any:
        target = SimpleNamespace(clip=te, tokenizer=tokenizer, params={})
        made = comfy.sd.CLIP(
            target,
            tokenizer_data={
                "spiece_model": tensor(words()),
                "tokenizer_json": tensor(piped(GEMMA_4)),
                "qwen35_2b_tokenizer_class": Qwen35Words,
            },
            model_options={f"{name}_model_config": SMALL | more, "dtype": torch.float32},
        )
        torch.manual_seed(7)
        with torch.no_grad():
            for key, weight in made.cond_stage_model.named_parameters():
                weight.fill_(1) if "norm" in key and weight.dim() == 1 else weight.normal_(0, 0.3)
            for key, value in made.cond_stage_model.named_buffers():
                if key.endswith("layer_scalar"):
                    value.fill_(1)
        return made

    layers = {"layer_types": ["linear_attention", "full_attention"] * 2, "linear_num_value_heads": 16}
    q3 = t.qwen3vl
    return {
        "krea2": lambda: clip(t.krea2.te(), t.krea2.Krea2Tokenizer, "qwen3vl_4b"),
        "boogu": lambda: clip(t.boogu.te(), t.boogu.BooguTokenizer, "qwen3vl_8b"),
        "qwen3vl": lambda: clip(
            q3.te(model_type="qwen3vl_8b"), q3.tokenizer(model_type="qwen3vl_8b"), "qwen3vl_8b"
        ),
        "qwen35": lambda: clip(t.qwen35.te(), t.qwen35.tokenizer(), "qwen35_2b", **layers),
        "gemma3_vision": lambda: clip(
            t.lumina2.te(model_type="gemma3_4b_vision"), t.lumina2.NTokenizer, "gemma3_4b_vision"
        ),
        "ltx2": lambda: clip(t.lt.ltxav_te(), t.lt.LTXAVGemmaTokenizer, ""),
        "gemma4": lambda: clip(
            t.gemma4.gemma4_te(model_class=t.gemma4.Gemma4_E4B), t.gemma4.Gemma4Tokenizer, "gemma4"
        ),
        "z_image": lambda: clip(t.z_image.te(), t.z_image.ZImageTokenizer, "qwen3_4b"),
        "gemma2": lambda: clip(t.lumina2.te(), t.lumina2.LuminaTokenizer, "gemma2_2b"),
    }


class Recorded:
    """An encoder, with what it wrote and how long its prompts came out."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self.tokens: list[list[int]] = []
        self.read: list[int] = []
        self.counted: list[int] = []
        layers = encoder._model.layers
        layers[0].register_forward_pre_hook(self._note, with_kwargs=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def _note(self, layer: Any, given: Any, named: Any) -> None:
        length = int((given[0] if given else named["x"]).shape[1])
        if length > 1:
            self.read.append(length)

    def generate(self, ids: Any, settings: Any, seed: int, budget: int, on_token: Any, check: Any) -> None:
        self.counted.append(self._encoder.count(ids))
        self.tokens.append([])

        def heard(token: int) -> None:
            self.tokens[-1].append(token)
            on_token(token)

        self._encoder.generate(ids, settings, seed, budget, heard, check)


def main() -> None:
    import comfy.options

    comfy.options.enable_args_parsing()  # without it --cpu is not read
    import torch
    from PIL import Image

    torch.set_num_threads(1)
    shrink()
    package = importlib.util.spec_from_file_location(
        "quillwork", f"{REPOSITORY}/package.py", submodule_search_locations=[REPOSITORY]
    )
    assert package is not None and package.loader is not None
    sys.modules["quillwork"] = module = importlib.util.module_from_spec(package)
    package.loader.exec_module(module)
    from quillwork.llm_backends.errors import CannotSee
    from quillwork.llm_backends.images import encode_picture
    from quillwork.llm_backends.local.host_encoder.backend import HostEncoder
    from quillwork.llm_backends.streaming.live import LiveText
    from quillwork.llm_backends.types import Deployment, Message, Request
    from quillwork.nodes.host.text_encoder import TextEncoder

    pictures = [Image.new("RGB", SIZE, "white"), Image.effect_mandelbrot(SIZE, (-2, -1, 1, 1), 60)]
    found: dict[str, Any] = {}
    for name, make in clips().items():
        encoder = TextEncoder(make())
        writer = Recorded(encoder)
        host = SimpleNamespace(encoder=lambda writer=writer: writer, cancelled=lambda: False, tick=int)
        refused = ""
        for picture in (*pictures, None):
            images = (encode_picture(picture),) if picture else ()
            messages = (Message("system", "look"), Message("user", "what is in this picture", images))
            request = Request(messages, temperature=0.0, max_tokens=6)
            (sink,) = LiveText().start(1)
            (answer,) = HostEncoder().answer_all([request], Deployment("host_encoder", ""), [sink], host)
            refused = refused or str(answer) if isinstance(answer, CannotSee) else refused
        found[name] = {
            "refused": refused,
            "tokens": writer.tokens,
            "read": writer.read,
            "counted": writer.counted,
        }
    print(json.dumps(found))


main()
