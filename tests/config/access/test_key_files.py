"""Files that hold keys: what is read, and the sentence for each that is not what it should be."""

from __future__ import annotations

import json

import pytest

from quillwork.config import providers
from quillwork.config.access import key_files
from quillwork.llm_backends.errors import NotConfigured

KEY = "-----BEGIN PRIVATE KEY-----\nplanted-key\n-----END PRIVATE KEY-----"
ACCOUNT = {
    "type": "service_account",
    "project_id": "fox-1",
    "private_key_id": "7",
    "private_key": f"{KEY}\n",
    "client_email": "me@fox-1.example",
    "token_uri": "https://oauth2.googleapis.com/token",
}
VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"


def account_in(tmp_path, content: object) -> str:
    file = tmp_path / "account.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(file)


@pytest.mark.parametrize("how", ["path", "quoted path", "text"])
def test_a_service_account_is_read_from_a_file_or_a_text(how, tmp_path):
    path = account_in(tmp_path, ACCOUNT)
    given = {"path": path, "quoted path": f'"{path}"', "text": json.dumps(ACCOUNT)}[how]
    account = key_files.service_account(given, VARIABLE)
    assert (account.email, account.project, account.key_id) == ("me@fox-1.example", "fox-1", "7")
    assert account.key.reveal() == KEY
    assert "planted-key" not in repr(account)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "names does not exist"),
        (b"", "it is not JSON"),
        (b"planted-key", "it is not JSON"),
        (b"\x80\x81\xff planted-key", "is not a text file"),
        ([ACCOUNT], "it is not JSON"),
        ({**ACCOUNT, "type": "authorized_user"}, "its type is authorized_user"),
        ({**ACCOUNT, "type": "external_account"}, "its type is external_account"),
        ({**ACCOUNT, "type": "planted-key"}, "its type is no known type"),
        ({"web": {"client_secret": "planted-key"}}, "its type is no known type"),
        ({**ACCOUNT, "private_key": ""}, "is a service account without its private key"),
        ({name: ACCOUNT[name] for name in ("type", "client_email")}, "without its private key"),
        ({**ACCOUNT, "private_key": "planted-key"}, "without its private key"),
        ({**ACCOUNT, "client_email": None}, "without its client_email"),
        (
            {**ACCOUNT, "token_uri": "https://evil.example/token"},
            "an address for tokens that is not Google's",
        ),
    ],
)
def test_a_service_account_that_is_none_is_told_in_a_sentence(content, said, tmp_path):
    path = account_in(tmp_path, content) if content is not None else str(tmp_path / "nowhere.json")
    with pytest.raises(NotConfigured, match=said) as caught:
        providers.preflight(providers.get("vertex_ai"), {VARIABLE: path})
    assert VARIABLE in caught.value.message + caught.value.hint
    assert caught.value.hint
    assert "planted" not in str(caught.value)
    status = providers.key_status(providers.get("vertex_ai"), {VARIABLE: path})
    assert (status.configured, said in status.missing) == (False, True)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(NotConfigured, match="cannot be read"):
        key_files.service_account(str(tmp_path), VARIABLE)


def test_the_project_is_the_accounts_own_or_the_one_that_is_set(tmp_path):
    env = {VARIABLE: account_in(tmp_path, ACCOUNT)}
    vertex = providers.get("vertex_ai")
    at = "https://aiplatform.googleapis.com/v1/projects/{}/locations/global/endpoints/openapi"
    assert providers.preflight(vertex, env).base_url == at.format("fox-1")
    assert providers.preflight(vertex, {**env, "VERTEXAI_PROJECT": "owl-2"}).base_url == at.format("owl-2")
    there = providers.preflight(vertex, {**env, "VERTEXAI_LOCATION": "europe-west4"}).base_url
    assert there.startswith(
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/fox-1/locations/europe"
    )


ORACLE = {
    "OCI_REGION": "us-chicago-1",
    "OCI_USER": "u",
    "OCI_TENANCY": "t",
    "OCI_FINGERPRINT": "f",
    "OCI_COMPARTMENT_ID": "c",
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a private key"),
        ("planted-key", "is not a private key"),
        ("-----BEGIN CERTIFICATE-----\nplanted\n-----END CERTIFICATE-----", "is not a private key"),
        (KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"), "with a passphrase"),
    ],
)
def test_a_private_key_that_is_none_is_told_in_a_sentence(text, said, tmp_path):
    file = tmp_path / "key.pem"
    file.write_text(text)
    with pytest.raises(NotConfigured, match=said) as caught:
        providers.preflight(providers.get("oci"), {**ORACLE, "OCI_KEY_FILE": str(file)})
    assert "OCI_KEY_FILE" in caught.value.message
    assert "planted" not in str(caught.value)


def test_a_private_key_is_taken_from_its_file_or_as_a_text(tmp_path):
    file = tmp_path / "key.pem"
    file.write_text(f"\n{KEY}\n")
    for given in ({"OCI_KEY_FILE": str(file)}, {"OCI_KEY": KEY.replace("\n", "\\n")}):
        access = providers.preflight(providers.get("oci"), {**ORACLE, **given})
        assert access.api_key is not None and access.api_key.reveal() == KEY
        assert access.base_url == "https://inference.generativeai.us-chicago-1.oci.oraclecloud.com"
