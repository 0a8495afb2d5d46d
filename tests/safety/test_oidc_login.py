"""Attacks on an OIDC login of a real app."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.safety.oidc_site import Site, site_with_provider
from tests.safety.page import messages_until_end, open_socket, run_script

PAGE = {"accept": "text/html"}
ADA = {"sub": "1", "email": "ada@example.com", "email_verified": True}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    roles = "ada@example.com=run, claim:groups:qa=read"
    with site_with_provider(tmp_path_factory.mktemp("oidc"), roles) as site:
        yield site


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, headers=PAGE) as client:
        yield client


def sign_in(
    site: Site, client: httpx.Client, claims: Mapping[str, object], path: str = "/"
) -> httpx.Response:
    """The page that a browser comes to after the login."""
    site.set_user(claims)
    form = client.get(site.url + path)
    assert form.url.path == "/login"
    link = re.search(r'href="(/login\?[^"]+)"', form.text)[1].replace("&amp;", "&")
    return client.get(site.url + link)


def cookie_of(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_user_returns_to_the_requested_page(site: Site, client: httpx.Client):
    page = sign_in(site, client, ADA, "/runs?run=1")

    assert (page.status_code, page.url.path, page.url.query) == (200, "/runs", b"run=1")
    with open_socket(site.port, cookie=cookie_of(client)) as socket:
        run_script(socket)
        texts = b"".join(message.SerializeToString() for message in messages_until_end(socket))
    assert b"ada@example.com" in texts


def test_everything_needs_the_login(site: Site):
    for path in ("/", "/media/x", "/_stcore/host-config", "/auth/logout"):
        assert httpx.get(site.url + path).status_code == 401
    with pytest.raises(InvalidStatus), open_socket(site.port):
        pass
    assert httpx.post(f"{site.url}/login", data={"key": "x"}).status_code == 405


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
    page = sign_in(site, client, claims)

    assert page.status_code == 403
    assert "have no role here" in page.text
    assert client.get(f"{site.url}/static/js/x.js").status_code == 403
    with pytest.raises(InvalidStatus), open_socket(site.port, cookie=cookie_of(client)):
        pass


def test_login_ends_with_the_id_token(site: Site, client: httpx.Client):
    page = sign_in(site, client, {**ADA, "lasts": 3})
    assert page.status_code == 200
    with open_socket(site.port, cookie=cookie_of(client)) as socket:
        run_script(socket)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=8)
    assert closed.value.rcvd.code == 4401

    copied = {"cookie": cookie_of(client)}
    assert httpx.get(site.url, headers=copied).status_code == 401


def test_copied_cookie_is_refused_after_logout(site: Site, client: httpx.Client):
    sign_in(site, client, {"sub": "4", "groups": ["qa"]})
    copied = {"cookie": cookie_of(client)}
    assert httpx.get(site.url, headers=copied).status_code == 200

    client.post(f"{site.url}/logout", headers={"origin": site.url})

    assert not [name for name in client.cookies if name.startswith("_streamlit_user")]
    time.sleep(1.1)  # another process would read the ended logins once a second
    assert httpx.get(site.url, headers=copied).status_code == 401


def test_provider_is_chosen_from_the_settings_alone(site: Site):
    answer = httpx.get(f"{site.url}/login", params={"provider": "evil", "next": "//evil.example"})

    assert answer.status_code == 200
    assert "evil.example" not in answer.text
