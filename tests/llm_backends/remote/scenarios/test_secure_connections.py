"""TLS: certificates that are trusted or not, and servers that speak it where it is not expected."""

from __future__ import annotations

import shutil
import ssl
import subprocess

import pytest
from endpoints import (
    DONE,
    HANG_S,
    answer,
    delta,
    endpoint,
    event_stream,
    failure,
    raw_server,
    read_request,
)
from wire.deployments import deployment

from quillwork.llm_backends import errors, registry
from quillwork.llm_backends.remote.http_client import client, trust
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Secret

KEY = "planted-key-0123456789"
REPLY = event_stream(delta("fox"), DONE)
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The files of a certificate that nobody vouches for: its own, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    own, secret = folder / "cert.pem", folder / "own.pem"
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=fox -addext subjectAltName=IP:127.0.0.1"
        f" -keyout {secret} -out {own}".split(),
        check=True,
        capture_output=True,
    )
    return own, secret


@pytest.fixture
def secure(certificate):
    """A context for a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def anew():
    """Connections that are made in this test: those of before trust what was trusted then."""

    def close():
        for backend in ("openai_compatible", "litellm"):
            runner.run(registry.get(backend).close())
        runner.run(client.close())

    close()
    yield
    close()


async def serve(reader, writer):
    await read_request(reader)
    writer.write(REPLY)


@needs_openssl
def test_a_certificate_that_nobody_vouches_for(secure):
    seen = []

    async def listen(reader, writer):
        seen.append(await read_request(reader))

    with raw_server(listen, ssl=secure) as port:
        error = failure(endpoint(f"https://127.0.0.1:{port}", api_key=Secret(KEY)))
    assert type(error) is errors.ConnectionFailed
    assert "certificate" in str(error) and "REQUESTS_CA_BUNDLE" in error.hint
    assert not seen, "the request was sent all the same"


@needs_openssl
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("transport", ["endpoint", "sdk"])
def test_a_certificate_that_the_environment_vouches_for(
    wire, secure, certificate, monkeypatch, anew, name, transport
):
    monkeypatch.setenv(name, str(certificate[0]))
    with raw_server(serve, ssl=secure) as port:
        place = endpoint(f"https://127.0.0.1:{port}", api_key=Secret(KEY))
        if transport == "sdk":
            place = deployment(wire, "openai", base_url=place.base_url)
        assert answer(place).text == "fox"


def test_a_bundle_that_is_none_does_no_harm(tmp_path, caplog):
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    assert trust((str(broken),)).verify_mode == ssl.CERT_REQUIRED
    assert "broken.pem" in caplog.text


@pytest.mark.parametrize("transport", ["endpoint", "sdk"])
def test_https_where_there_is_plain_http(wire, transport):
    url = wire.url.replace("http:", "https:")
    place = endpoint(url) if transport == "endpoint" else deployment(wire, "openai", base_url=f"{url}/v1")
    error = failure(place)
    assert type(error) is errors.ConnectionFailed
    assert "secure connection" in error.message and f"write {wire.url}" in error.hint
    assert not error.retryable


@needs_openssl
@pytest.mark.parametrize("transport", ["endpoint", "sdk"])
def test_plain_http_where_there_is_https(wire, secure, transport):
    with raw_server(serve, ssl=secure, ssl_handshake_timeout=HANG_S) as port:
        place = endpoint(f"http://127.0.0.1:{port}")
        if transport == "sdk":
            place = deployment(wire, "openai", base_url=place.base_url)
        error = failure(place)
    assert type(error) is errors.ConnectionFailed
    assert f"https://127.0.0.1:{port}" in error.hint


@pytest.mark.parametrize(
    "said",
    [
        "Client sent an HTTP request to an HTTPS server.",
        "<center>The plain HTTP request was sent to HTTPS port</center>",
        "Bad Request: This combination of host and port requires TLS.",
        "You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
@pytest.mark.parametrize("transport", ["endpoint", "sdk"])
def test_servers_that_say_that_they_want_https(wire, said, transport):
    wire.refuse("fox", lambda _: (400, said))
    error = failure(endpoint(wire.url) if transport == "endpoint" else deployment(wire, "openai"))
    assert type(error) is errors.ConnectionFailed
    assert wire.url.replace("http", "https") in error.hint
    assert len(wire.calls()) == 1
