from __future__ import annotations

import ipaddress
import json
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from debugger.backends.hosted.client import ApiClient
from debugger.errors import ConnectionFailedError, SettingsError
from debugger.protocol import urls
from debugger.settings import HostedSettings

KEY = "sk-very-secret"


@contextmanager
def answering(status=200, body=None, certificate=None):
    """A server on loopback that answers every request alike; its URL and the requests' keys."""
    keys = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            keys.append(self.headers.get("Authorization"))
            text = json.dumps({"workflows": []} if body is None else body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}/workflows", keys
        finally:
            server.shutdown()
            thread.join()


KEY_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
"""What a certificate says of its key; Python 3.13 wants it said."""


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificates(folder):
    """An authority of the test's own and a server's certificate signed by it, as two files."""
    now = datetime.now(UTC)
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def signed(subject, public_key, *extensions):
        builder = x509.CertificateBuilder(name("Test authority"), name(subject), public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
        for extension in (issuer, x509.SubjectKeyIdentifier.from_public_key(public_key), *extensions):
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, server = folder / "authority.pem", folder / "server.pem"
    may_sign = dict.fromkeys(KEY_USES, False) | {"key_cert_sign": True}
    authority.write_bytes(
        signed(
            "Test authority",
            authority_key.public_key(),
            x509.BasicConstraints(ca=True, path_length=None),
            x509.KeyUsage(**may_sign),
        )
    )
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed("127.0.0.1", server_key.public_key(), loopback)
    )
    return authority, server


def connecting(base_url, **fields):
    return ApiClient(HostedSettings(base_url=base_url, api_key=KEY, timeout=5, **fields))


def test_ssl_cert_file_counts_on_loopback(tmp_path, monkeypatch):
    authority, certificate = certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    # No proxy is used on loopback: this one would not answer.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)

    with answering(certificate=certificate) as (base_url, keys):
        client = connecting(base_url)
        answer = client.get(urls.WORKFLOWS, "the list of workflows")
        client.close()

    assert answer.body == {"workflows": []}
    assert keys == [f"Bearer {KEY}"]


def test_unknown_authority_is_refused_on_loopback(tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    _, certificate = certificates(tmp_path)

    with answering(certificate=certificate) as (base_url, keys):
        client = connecting(base_url)
        with pytest.raises(ConnectionFailedError, match="No secure connection"):
            client.get(urls.WORKFLOWS, "the list of workflows")
        client.close()

    assert keys == []


def test_certificate_file_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))

    with pytest.raises(SettingsError, match="certificates"):
        connecting("https://127.0.0.1:9/workflows")


def test_replace_credentials_sends_the_new_key():
    with answering() as (base_url, keys):
        client = connecting(base_url)
        client.get(urls.WORKFLOWS, "the list of workflows")
        client.replace_credentials(HostedSettings(base_url=base_url, api_key="sk-new"))
        client.get(urls.WORKFLOWS, "the list of workflows")
        client.close()

    assert keys == [f"Bearer {KEY}", "Bearer sk-new"]
    assert client.headers["Authorization"] == "Bearer sk-new"


def test_replace_credentials_still_masks_the_old_key():
    with answering(status=400, body={"detail": f"{KEY} and sk-new"}) as (base_url, _):
        client = connecting(base_url)
        client.replace_credentials(HostedSettings(base_url=base_url, api_key="sk-new"))
        with pytest.raises(Exception) as raised:
            client.get(urls.WORKFLOWS, "the list of workflows")
        client.close()

    assert "*** and ***" in str(raised.value)


@pytest.mark.parametrize("other", ["https://127.0.0.1:8000/workflows", "http://127.0.0.1:8001/workflows"])
def test_replace_credentials_refuses_another_origin(other):
    client = connecting("http://127.0.0.1:8000/workflows")

    with pytest.raises(SettingsError):
        client.replace_credentials(HostedSettings(base_url=other, api_key="sk-new"))

    assert client.headers["Authorization"] == f"Bearer {KEY}"
    client.close()


@pytest.mark.parametrize("key", ["Bearer sk-very-secret", "bearer  sk-very-secret"])
def test_key_with_bearer_is_refused_unsaid(key):
    with pytest.raises(SettingsError, match="Bearer") as raised:
        ApiClient(HostedSettings(base_url="https://api.example/workflows", api_key=key))

    assert KEY not in f"{raised.value.message} {raised.value.advice}"
