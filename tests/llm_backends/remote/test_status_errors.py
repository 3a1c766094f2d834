"""Refusals in the words of many servers become errors that say what to do."""

from __future__ import annotations

import email.utils
import json
import time

import pytest

from quillwork.llm_backends import errors
from quillwork.llm_backends.remote.reasons import read_reason
from quillwork.llm_backends.remote.status_errors import detail_of, error_from_status, retry_after_s
from quillwork.llm_backends.types import Deployment, Secret

KEY = "planted-key-of-no-known-shape"
FOX = Deployment(
    "b", "fox", provider="p", provider_label="Fox", api_key=Secret(KEY), key_variable="FOX_API_KEY"
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (307, "", errors.RedirectRefused, False),
        (400, '{"error": {"message": "bad value"}}', errors.BadRequest, False),
        (400, '{"error": {"message": "maximum context length is 4096"}}', errors.ContextOverflow, False),
        (
            400,
            '{"error": {"message": "x", "code": "context_length_exceeded"}}',
            errors.ContextOverflow,
            False,
        ),
        (
            400,
            '{"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}',
            errors.ContextOverflow,
            False,
        ),
        (400, '{"message": "Input is too long for requested model."}', errors.ContextOverflow, False),
        (
            400,
            '{"error": {"message": "The input token count (9) exceeds the maximum"}}',
            errors.ContextOverflow,
            False,
        ),
        (
            500,
            '{"error": {"message": "the request exceeds the available context size"}}',
            errors.ContextOverflow,
            False,
        ),
        (413, "too large", errors.ContextOverflow, False),
        (
            400,
            '{"error": {"code": "content_filter", "message": "by content management policy"}}',
            errors.Refused,
            False,
        ),
        (401, "", errors.AuthenticationFailed, False),
        # A LiteLLM proxy without a database, to a key that is not its master key.
        (
            400,
            '{"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}}',
            errors.AuthenticationFailed,
            False,
        ),
        (
            500,
            '{"error": {"message": "Authentication Error, No api key passed in.", "code": "500"}}',
            errors.AuthenticationFailed,
            False,
        ),
        (402, "", errors.RateLimited, False),
        (403, "", errors.PermissionDenied, False),
        (404, "", errors.ModelNotFound, False),
        (408, "", errors.TimedOut, True),
        (422, '{"detail": [{"msg": "field required"}]}', errors.BadRequest, False),
        (429, '{"error": {"message": "slow down"}}', errors.RateLimited, True),
        (429, '{"error": {"message": "You exceeded your current quota"}}', errors.RateLimited, False),
        (500, "", errors.ProviderFailed, True),
        (503, "<html>nginx</html>", errors.ProviderFailed, True),
        (504, "", errors.TimedOut, True),
        (529, '{"error": {"type": "overloaded_error"}}', errors.ProviderFailed, True),
    ],
)
def test_status_and_body_tell_the_error(status, body, kind, retryable):
    error = error_from_status(status, body, FOX)
    assert type(error) is kind
    assert error.retryable is retryable
    assert (error.provider, error.model, error.status) == ("p", "fox", status)
    assert "Fox (fox)" in error.message
    assert error.hint
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            '{"error": {"message": "no such model", "code": "model_not_found"}}',
            "no such model [model_not_found]",
        ),
        ('{"error": {"message": "no such model", "code": 404}}', "no such model"),
        ('{"error": "no such model"}', "no such model"),
        ('{"message": "no such model."}', "no such model"),
        ('{"detail": [{"msg": "no such model"}]}', "no such model"),
        ('[{"error": {"message": "no such model"}}]', "no such model"),
        ("no such\n   model", "no such model"),
        ("<!doctype html><html>page</html>", ""),
        ("", ""),
        ("{", "{"),
        ("null", "null"),
        ('{"error": {"message": 3}}', '{"error": {"message": 3}}'),
    ],
)
def test_what_the_server_said_is_found(body, detail):
    assert detail_of(read_reason(body), FOX) == detail


def test_a_long_page_is_cut():
    assert len(detail_of(read_reason("x" * 10_000), FOX)) < 1100


def test_deep_nesting_does_no_harm():
    assert isinstance(detail_of(read_reason("[" * 100_000), FOX), str)
    assert isinstance(detail_of(read_reason('{"error":' * 500 + "1" + "}" * 500), FOX), str)


def test_an_echoed_key_is_scrubbed():
    error = error_from_status(
        400, json.dumps({"error": {"message": f"bad key {KEY} or hf_abcdefghijklmnop"}}), FOX
    )
    assert KEY not in str(error) + repr(error)
    assert "hf_abc" not in str(error)


def test_hints_about_keys():
    assert error_from_status(401, "", FOX).hint == "Check the key in FOX_API_KEY."
    without = Deployment("b", "fox", key_variable="FOX_API_KEY")
    assert "Set FOX_API_KEY" in error_from_status(401, "", without).hint
    assert "LLM_API_KEY" in error_from_status(401, "", Deployment("b", "fox")).hint


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"RETRY-AFTER": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after-ms": "soon"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after_s(headers) == seconds


def test_retry_after_as_a_date():
    assert 50 < retry_after_s({"Retry-After": email.utils.formatdate(time.time() + 60, usegmt=True)}) <= 61


def test_a_proxy_that_was_sent_no_key_and_says_nothing():
    bare = "Internal Server Error"
    unkeyed = Deployment("openai_compatible", "fox", provider_label="Fox", key_variable="LLM_API_KEY")
    error = error_from_status(500, bare, unkeyed)
    assert type(error) is errors.AuthenticationFailed and "Set LLM_API_KEY" in error.hint
    keyed = Deployment("openai_compatible", "fox", provider_label="Fox", api_key=Secret("k" * 20))
    assert type(error_from_status(500, bare, keyed)) is errors.ProviderFailed
