"""Counts of tokens on a host: by its own tokenizers in a real ComfyUI, else estimated."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from host.process import Host, real_host

from quillwork.prompting.targets import load

needs_real_host = pytest.mark.skipif(
    not real_host(), reason="COMFYUI_PATH is not set: the tokenizers are in a real ComfyUI only"
)
TEXT = "a red fox in the snow, long golden light over the quiet hills"
# By the tokenizers' own library from ComfyUI's files, without start, end and padding.
CLIP, T5, QWEN = 14, 16, 14


def counted(host: Host, target: str, text: str = TEXT) -> dict[str, Any]:
    reply = host.request(
        "POST", "/quillwork/tokens", json={"text": text, "target": target}, headers={"X-Quillwork": "1"}
    )
    assert reply.status == 200, reply.json()
    found: dict[str, Any] = reply.json()
    return found


@needs_real_host
@pytest.mark.parametrize(
    ("target", "tokens", "limit", "chunk"),
    [
        ("sd15", CLIP, 75, 75),
        ("sdxl", CLIP, 75, 75),
        ("illustrious", CLIP, 75, 75),
        ("flux1_dev", T5, 512, None),
        ("flux1_schnell", T5, 256, None),
        ("sd35", T5, 256, None),
        ("chroma", T5, 512, None),
        ("qwen_image", QWEN, 512, None),
        ("z_image_turbo", QWEN, 512, None),
        ("minimax_h3", QWEN, None, None),
        ("ace_step_1_5", QWEN, None, None),
    ],
)
def test_a_real_comfyui_counts_as_its_encoders_do(
    host: Host, target: str, tokens: int, limit: int | None, chunk: int | None
) -> None:
    assert counted(host, target) == {"tokens": tokens, "limit": limit, "chunk": chunk, "is_estimate": False}


@needs_real_host
def test_weights_are_no_tokens_and_a_long_text_has_several_chunks(host: Host) -> None:
    assert counted(host, "sdxl", "a (red fox:1.2)")["tokens"] == 3
    long = counted(host, "sdxl", "fox, " * 60)
    assert (long["tokens"], long["chunk"]) == (120, 75)
    assert counted(host, "sdxl", "")["tokens"] == 0


@needs_real_host
@pytest.mark.parametrize("target", ["wan_2_2_t2v", "lumina_2", "ltx_2"])
def test_what_comes_with_the_weights_is_estimated(host: Host, target: str) -> None:
    found = counted(host, target)
    assert found["is_estimate"] is True
    assert 10 <= found["tokens"] <= 20


@pytest.mark.parametrize("target", ["sdxl", "flux1_dev", "qwen_image", "gpt_image", "ace_step_1_5"])
def test_a_count_comes_from_every_host(host: Host, target: str) -> None:
    found = counted(host, target)
    assert 10 <= found["tokens"] <= 20
    assert found["limit"] == (75 if target == "sdxl" else limits()[target])


@cache
def limits() -> dict[str, int | None]:
    return {
        name: load(name).limit_tokens for name in ("flux1_dev", "qwen_image", "gpt_image", "ace_step_1_5")
    }
