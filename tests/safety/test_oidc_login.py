"""Attacks on the login at an identity provider, against a real app and a local provider."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.browser.conftest import Server, free_port, running, streamlit_app
from tests.safety.page import messages_until_end, open_socket, run_script

PAGE = {"accept": "text/html"}
ADA = {"sub": "1", "email": "ada@example.com", "email_verified": True}


@dataclass(frozen=True)
class Site:
    app: Server
    user: Path
    """The file with the claims of the user whom the provider signs in."""

    @property
    def port(self) -> int:
        return int(self.app.url.rpartition(":")[2])

    def sign_in(self, client: httpx.Client, claims: Mapping[str, object], path: str = "/") -> httpx.Response:
        """The page that a browser comes to after the login."""
        self.user.write_text(json.dumps(claims))
        form = client.get(self.app.url + path)
        assert form.url.path == "/login"
        link = re.search(r'href="(/login\?[^"]+)"', form.text)[1].replace("&amp;", "&")
        return client.get(self.app.url + link)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("oidc")
    provider, user = free_port(), folder / "user.json"
    command = [sys.executable, "-m", "tests.oidc_provider", str(provider), str(user)]
    roles = {"WORKFLOW_DEBUGGER_ROLES": "ada@example.com=run, claim:groups:qa=read"}
    with running(command, "/health", provider, folder):
        (folder / ".streamlit").mkdir()
        with streamlit_app(
            folder, **roles, before_start=lambda port: write_secrets(folder, port, provider)
        ) as app:
            yield Site(app, user)


def write_secrets(folder: Path, port: int, provider: int) -> None:
    (folder / ".streamlit" / "secrets.toml").write_text(
        f"""
        [auth]
        redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
        cookie_secret = "{"0123456789abcdef" * 4}"
        client_id = "debugger"
        client_secret = "client-secret"
        server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
        """
    )


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, headers=PAGE) as client:
        yield client


def cookie_of(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_user_is_led_back_to_the_requested_page(site: Site, client: httpx.Client):
    page = site.sign_in(client, ADA, "/runs?run=1")

    assert (page.status_code, page.url.path, page.url.query) == (200, "/runs", b"run=1")
    with open_socket(site.port, cookie=cookie_of(client)) as socket:
        run_script(socket)
        texts = b"".join(message.SerializeToString() for message in messages_until_end(socket))
    assert b"ada@example.com" in texts


def test_everything_needs_the_login(site: Site):
    for path in ("/", "/media/x", "/_stcore/host-config", "/auth/logout"):
        assert httpx.get(site.app.url + path).status_code == 401
    with pytest.raises(InvalidStatus), open_socket(site.port):
        pass
    assert httpx.post(f"{site.app.url}/login", data={"key": "x"}).status_code == 405


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "2", "email": "eve@example.com"},
        {**ADA, "email_verified": False},
        {"sub": "3", "groups": ["dev"]},
    ],
    ids=["unknown", "unverified", "other group"],
)
def test_user_without_a_role_sees_one_sentence(site: Site, client: httpx.Client, claims: dict[str, object]):
    page = site.sign_in(client, claims)

    assert page.status_code == 403
    assert "have no role here" in page.text
    assert client.get(f"{site.app.url}/static/js/x.js").status_code == 403
    with pytest.raises(InvalidStatus), open_socket(site.port, cookie=cookie_of(client)):
        pass


def test_login_ends_with_the_id_token(site: Site, client: httpx.Client):
    page = site.sign_in(client, {**ADA, "lasts": 3})
    assert page.status_code == 200
    with open_socket(site.port, cookie=cookie_of(client)) as socket:
        run_script(socket)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=8)
    assert closed.value.rcvd.code == 4401

    copied = {"cookie": cookie_of(client)}
    assert httpx.get(site.app.url, headers=copied).status_code == 401


def test_copied_cookie_is_refused_after_logout(site: Site, client: httpx.Client):
    site.sign_in(client, {"sub": "4", "groups": ["qa"]})
    copied = {"cookie": cookie_of(client)}
    assert httpx.get(site.app.url, headers=copied).status_code == 200

    client.post(f"{site.app.url}/logout", headers={"origin": site.app.url})

    assert not [name for name in client.cookies if name.startswith("_streamlit_user")]
    time.sleep(1.1)  # another process would read the ended logins once a second
    assert httpx.get(site.app.url, headers=copied).status_code == 401


def test_provider_is_chosen_from_the_settings_alone(site: Site):
    answer = httpx.get(f"{site.app.url}/login", params={"provider": "evil", "next": "//evil.example"})

    assert answer.status_code == 200
    assert "evil.example" not in answer.text
