"""What a user may get wrong about a provider: one sentence for each, and no key in any text."""

from __future__ import annotations

import json
import logging

import pytest

from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.diagnostics import health
from quillwork.config.diagnostics.trial import check_provider
from quillwork.config.settings.values import load
from quillwork.llm_backends.errors import AuthenticationFailed, LLMError
from quillwork.llm_backends.remote.http_client import wire_error
from quillwork.llm_backends.remote.status_errors import error_from_status
from quillwork.llm_backends.runner import runner

SENT = "planted0123456789"
ACCOUNT = json.dumps(
    {
        "type": "service_account",
        "client_email": "fox@fox.example",
        "private_key": "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n",
        "project_id": "p",
    }
)
AWS = {"AWS_ACCESS_KEY_ID": "planted-id", "AWS_SECRET_ACCESS_KEY": f"x{SENT}", "AWS_REGION": "us-east-1"}


def asked(model: str):
    return deploy(Choice(llm_mode="litellm", llm_model=model, by_workflow=False))


REMARKS = {
    "another provider's key": (
        "openai/fox",
        {"OPENAI_API_KEY": f"sk-ant-{SENT}"},
        "The key in OPENAI_API_KEY begins with sk-ant-, as those of Anthropic do.",
    ),
    "no known beginning": (
        "groq/fox",
        {"GROQ_API_KEY": SENT},
        "Keys of Groq begin with gsk_, unlike the one in GROQ_API_KEY.",
    ),
    "two beginnings": (
        "gemini/fox",
        {"GEMINI_API_KEY": f"sk-{SENT}"},
        "Keys of Google Gemini begin with AIza or AQ., unlike the one in GEMINI_API_KEY.",
    ),
    "two keys": (
        "gemini/fox",
        {"GEMINI_API_KEY": f"AIza-1-{SENT}", "GOOGLE_API_KEY": f"AIza-2-{SENT}"},
        "GEMINI_API_KEY is used, and not the other key of Google Gemini in GOOGLE_API_KEY.",
    ),
}


@pytest.mark.parametrize("case", REMARKS)
def test_an_odd_key_is_told_and_sent_all_the_same(case, env, caplog):
    model, variables, said = REMARKS[case]
    env(**variables)
    with caplog.at_level(logging.WARNING):
        deployed = asked(model)
    assert deployed.api_key is not None and deployed.api_key.reveal() == next(iter(variables.values()))
    assert said in caplog.text
    assert SENT not in caplog.text
    assert said in error_from_status(401, "", deployed).hint
    assert said in [check.message for check in health.checks(load()) if check.name == "Keys"]


def test_a_trial_of_a_key_says_what_is_odd_about_it(env):
    env(HF_TOKEN=f"sk-{SENT}")  # Hugging Face has nothing to ask for free
    tried = runner.run(check_provider("huggingface", load()))
    assert tried.ok is None
    assert tried.hint.startswith(
        "Keys of Hugging Face begin with hf_, unlike the one in HF_TOKEN. Test a model"
    )
    env(HF_TOKEN=f"hf_{SENT}")
    assert runner.run(check_provider("huggingface", load())).hint.startswith("Test a model")


@pytest.mark.parametrize(
    ("model", "variables"),
    [
        ("openai/fox", {"OPENAI_API_KEY": f"sk-proj-{SENT}"}),
        ("openrouter/fox", {"OPENROUTER_API_KEY": f"sk-or-v1-{SENT}"}),
        ("anthropic/fox", {"ANTHROPIC_API_KEY": f"sk-ant-{SENT}"}),
        ("xai/fox", {"XAI_API_KEY": SENT, "XAI_API_BASE": "https://gateway.example"}),
        ("huggingface/fox", {"HF_TOKEN": f"hf_{SENT}", "HUGGINGFACE_API_KEY": f"hf_{SENT}"}),
        ("deepinfra/fox", {"DEEPINFRA_API_KEY": SENT}),
    ],
)
def test_nothing_is_said_of_a_key_that_may_be_right(model, variables, env, caplog):
    env(**variables)
    with caplog.at_level(logging.WARNING):
        assert "key_remark" not in asked(model).params
    assert caplog.text == ""


REFUSED = {
    "a base with a key in it": (
        "xai/fox",
        {"XAI_API_KEY": SENT, "XAI_API_BASE": f"https://me:{SENT}@x.example"},
        "XAI_API_BASE holds a name or a password. Leave out what stands before the @",
    ),
    "a public address without encryption": (
        "xai/fox",
        {"XAI_API_KEY": SENT, "XAI_API_BASE": "http://8.8.8.8/v1"},
        "XAI_API_BASE is an address without encryption, where everybody on the way reads key and",
    ),
    "a token service without encryption": (
        "watsonx/fox",
        {"WATSONX_APIKEY": SENT, "WATSONX_PROJECT_ID": "p", "WATSONX_TOKEN_URL": "http://x.example/token"},
        "WATSONX_TOKEN_URL is an address without encryption",
    ),
    "no region of Amazon's": (
        "sagemaker_chat/fox",
        {**AWS, "AWS_REGION": "Frankfurt"},
        "AWS_REGION is 'Frankfurt', which is no region. Write one such as us-east-1 or eu-central-1",
    ),
    "no region of IBM's": (
        "watsonx/fox",
        {"WATSONX_APIKEY": SENT, "WATSONX_PROJECT_ID": "p", "WATSONX_REGION": "Dallas"},
        "WATSONX_REGION is 'Dallas', which is no region. Write one such as us-south or eu-de",
    ),
    "an exchange that nobody allowed": (
        "watsonx/fox",
        {"WATSONX_APIKEY": SENT, "WATSONX_PROJECT_ID": "p"},
        "IBM watsonx.ai takes a token in place of your key: to get one, the key in WATSONX_APIKEY is sent to "
        "https://iam.cloud.ibm.com, which you have not allowed on this machine. Allow it once with",
    ),
    "an exchange of a signature that nobody allowed": (
        "vertex_ai/fox",
        {"VERTEXAI_CREDENTIALS": ACCOUNT, "VERTEXAI_PROJECT": "p"},
        "Google Vertex AI takes a token in place of your key: to get one, a request that is signed with the "
        "private key in VERTEXAI_CREDENTIALS, not the key itself, is sent to https://oauth2.googleapis.com",
    ),
    "no project": (
        "watsonx/fox",
        {"WATSONX_APIKEY": SENT},
        "IBM watsonx.ai needs WATSONX_PROJECT_ID, which is not set. Add WATSONX_PROJECT_ID to",
    ),
    "half a pair of keys": (
        "sagemaker_chat/fox",
        {name: text for name, text in AWS.items() if name != "AWS_ACCESS_KEY_ID"},
        "Amazon SageMaker needs AWS_ACCESS_KEY_ID, which is not set. Add AWS_ACCESS_KEY_ID to",
    ),
    "a service account that is not there": (
        "vertex_ai/fox",
        {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/account.json"},
        "The file that GOOGLE_APPLICATION_CREDENTIALS names does not exist. Create a key of the type JSON",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_called_is_told_before_anything_is_sent(case, env):
    model, variables, said = REFUSED[case]
    env(**variables)
    with pytest.raises(LLMError) as caught:
        asked(model)
    assert said in f"{caught.value.message} {caught.value.hint}"
    assert SENT not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    ("status", "body", "said", "hint"),
    [
        (
            403,
            '{"message": "The security token included in the request is expired"}',
            "the temporary credentials have expired",
            "AWS_SESSION_TOKEN",
        ),
        (
            400,
            '{"__type": "ExpiredTokenException", "message": "x"}',
            "credentials have expired",
            "AWS_SESSION",
        ),
        (403, '{"message": "Signature expired: 20261130T0 is now earlier"}', "the time of the call", "clock"),
        (
            403,
            '{"message": "The security token included in the request is invalid."}',
            "rejected the key",
            "AWS",
        ),
    ],
)
def test_amazons_refusals_of_a_token_say_what_to_do(status, body, said, hint, env):
    env(**AWS)
    error = error_from_status(status, body, asked("sagemaker_chat/fox"))
    assert isinstance(error, AuthenticationFailed)
    assert said in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("model", "variables", "named"),
    [
        ("bedrock/fox", {**AWS, "AWS_REGION": "eu-nowhere-9"}, "AWS_REGION is eu-nowhere-9"),
        (
            "bedrock_mantle/fox",
            {"AWS_BEARER_TOKEN_BEDROCK": SENT, "AWS_REGION": "eu-nowhere-9"},
            "AWS_REGION is eu-nowhere-9",
        ),
        (
            "watsonx/fox",
            {
                "WATSONX_APIKEY": SENT,
                "WATSONX_PROJECT_ID": "p",
                "WATSONX_REGION": "eu-nowhere",
                "LLM_ALLOW": "watsonx.token",
            },
            "WATSONX_REGION is eu-nowhere",
        ),
    ],
)
def test_a_region_that_does_not_exist_is_named_where_its_host_is_unknown(model, variables, named, env):
    env(**variables)
    error = wire_error(OSError("getaddrinfo failed"), asked(model), begun=False)
    assert "could not be resolved" in error.message
    assert f"Check that there is such a region: {named}." in error.hint
