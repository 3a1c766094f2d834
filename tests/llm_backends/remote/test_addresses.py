"""Addresses as people paste them, and what is called below them."""

from __future__ import annotations

import pytest
from endpoints import answer, endpoint, failure

from quillwork.llm_backends import errors
from quillwork.llm_backends.remote.addresses import api_base, is_azure, mended, route
from quillwork.llm_backends.types import Secret

LOCAL = "http://127.0.0.1:1234/v1"
AZURE = "https://fox.openai.azure.com"
PASTED = [
    *(
        (LOCAL + rest, LOCAL)
        for rest in (
            "", "/", "//", "#", "/#", "/chat/completions", "/chat/completions/", "/completions", "/models",
            "/models/fox-8b", "/responses", "/embeddings", "/messages", "/chat", "/v1", "?x=1",
            "?key=abc#top",
            "/chat/completions?stream=true", "/chat/completions#", "/docs", "/health", "/model/info",
        )
    ),
    ("http://127.0.0.1:1234", LOCAL),
    ("http://127.0.0.1:1234/", LOCAL),
    ("127.0.0.1:1234", LOCAL),
    ("localhost:1234", "http://localhost:1234/v1"),
    ("my-host:1234", "http://my-host:1234/v1"),
    ("127.0.0.1:1234/v1/chat/completions", LOCAL),
    ("http://0.0.0.0:1234/v1", LOCAL),
    ("http://127.0.0.1:1234/docs", LOCAL),
    ("http://127.0.0.1:1234/openapi.json", LOCAL),
    ("http://127.0.0.1:1234/api/v0", LOCAL),
    ("http://127.0.0.1:1234/api/v0/models", LOCAL),
    (f'"{LOCAL}"', LOCAL),
    (f"'{LOCAL}'", LOCAL),
    (f"`{LOCAL}`", LOCAL),
    (f"“{LOCAL}”", LOCAL),
    (f"<{LOCAL}>", LOCAL),
    (f"  {LOCAL}\n", LOCAL),
    (f"{LOCAL},", LOCAL),
    (f"{LOCAL};", LOCAL),
    (f"LLM_BASE_URL={LOCAL}", LOCAL),
    (f'export LLM_BASE_URL="{LOCAL}"', LOCAL),
    (f"base_url: {LOCAL}", LOCAL),
    ("OPENAI_API_BASE=127.0.0.1:1234/v1", LOCAL),
    (f"curl {LOCAL}/chat/completions -H 'Content-Type: application/json'", LOCAL),
    (f"Server is running at {LOCAL}", LOCAL),
    ("http:/127.0.0.1:1234/v1", LOCAL),
    ("http//127.0.0.1:1234/v1", LOCAL),
    ("http:\\\\127.0.0.1:1234\\v1", LOCAL),
    ("HTTP://127.0.0.1:1234/v1", LOCAL),
    ("http://http://127.0.0.1:1234/v1", LOCAL),
    ("http://localhost:11434", "http://localhost:11434/v1"),
    ("http://localhost:11434/api", "http://localhost:11434/v1"),
    ("http://localhost:11434/api/", "http://localhost:11434/v1"),
    ("http://localhost:11434/api/chat", "http://localhost:11434/v1"),
    ("http://localhost:11434/api/generate", "http://localhost:11434/v1"),
    ("http://localhost:11434/api/tags", "http://localhost:11434/v1"),
    ("http://localhost:3000/api/chat/completions", "http://localhost:3000/api/chat/completions"),
    ("http://h/api/v3", "http://h/api/v3"),
    ("http://h/proxy/v1/models", "http://h/proxy/v1"),
    ("http://[::1]:1234", "http://[::1]:1234/v1"),
    ("[::1]:1234", "http://[::1]:1234/v1"),
    ("`[::1]:1234/v1/chat/completions`", "http://[::1]:1234/v1"),
    ("[fe80::1]", "http://[fe80::1]/v1"),
    ("http：//127.0.0.1：1234／v1", LOCAL),
    ("http://127.0.0.1:1234/generate_stream", LOCAL),
    ("http://127.0.0.1:1234/completion", LOCAL),
    ("http://localhost:5001/api/v1/generate", "http://localhost:5001/v1"),
    ("http://localhost:5001/api/extra/generate/stream", "http://localhost:5001/v1"),
    ("https://api.perplexity.ai", "https://api.perplexity.ai"),
    ("https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai"),
    ("https://open.bigmodel.cn", "https://open.bigmodel.cn/api/paas/v4"),
    ("https://models.github.ai/chat/completions", "https://models.github.ai/inference"),
    ("https://dashscope.aliyuncs.com", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
    ("my-server.lan:8000", "http://my-server.lan:8000/v1"),
    ("api.openai.com/v1", "https://api.openai.com/v1"),
    ("api.deepseek.com", "https://api.deepseek.com/v1"),
    ("https://api.openai.com", "https://api.openai.com/v1"),
    ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"),
    ("https://openrouter.ai", "https://openrouter.ai/api/v1"),
    ("https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
    ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"),
    ("https://api.groq.com", "https://api.groq.com/openai/v1"),
    ("https://api.groq.com/openai/v1/chat/completions", "https://api.groq.com/openai/v1"),
    (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent?key=x",
        "https://generativelanguage.googleapis.com/v1beta/openai",
    ),
    (
        "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        "https://generativelanguage.googleapis.com/v1beta/openai",
    ),
    (AZURE, f"{AZURE}/openai/v1"),
    (f"{AZURE}/", f"{AZURE}/openai/v1"),
    (f"{AZURE}/openai", f"{AZURE}/openai/v1"),
    (f"{AZURE}/openai/v1/chat/completions", f"{AZURE}/openai/v1"),
    (
        f"{AZURE}/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
        f"{AZURE}/openai/deployments/gpt?api-version=2024-10-21",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "base"), PASTED)
def test_what_a_pasted_address_means(text, base):
    assert api_base(text) == base
    assert api_base(base) == base, "and once more it is the same"
    assert (mended(text) is None) == (
        text.strip().rstrip("/") in (base, base[:-3], base.removeprefix("http://")[:-3])
    )


@pytest.mark.parametrize("text", ["", "http://", "ftp://h/v1", "http://[::1", "file:///etc/passwd"])
def test_what_is_no_address_stays(text):
    assert api_base(text) == text


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        (LOCAL, "/models", f"{LOCAL}/models"),
        ("http://h:3000/api/chat/completions", "/chat/completions", "http://h:3000/api/chat/completions"),
        ("http://h:3000/api/chat/completions", "/models", "http://h:3000/api/models"),
        (
            f"{AZURE}/openai/deployments/gpt?api-version=2024-10-21",
            "/chat/completions",
            f"{AZURE}/openai/deployments/gpt/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_routes(base, path, url):
    assert route(base, path) == url


def test_azure_has_a_header_of_its_own(wire):
    assert is_azure(f"{AZURE}/openai/v1") and not is_azure("http://azure.com.evil.example/v1")
    base = f"{wire.url}/openai/deployments/fox/chat/completions?api-version=2024-10-21"
    answer(endpoint(wire.url, "fox", base_url=base, api_key=Secret("planted-key")))
    (call,) = wire.calls()
    assert (call.path, call.query) == (
        "/openai/deployments/fox/chat/completions",
        {"api-version": "2024-10-21"},
    )
    assert call.headers["api-key"] == "planted-key" and "authorization" not in call.headers


def test_a_404_says_what_was_called(wire):
    error = failure(endpoint(wire.url, "fox", base_url=f"{wire.url}/nowhere"))
    assert type(error) is errors.ModelNotFound
    assert f"Called was {wire.url}/nowhere/chat/completions" in error.hint
