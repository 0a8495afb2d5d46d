from __future__ import annotations

from types import SimpleNamespace

import pytest

from debugger.server.access import is_local_name

EMPTY = SimpleNamespace(workflows=lambda search: [])
KEY = "sk-right"


@pytest.fixture(scope="module")
def locked(serve):
    return serve(EMPTY, api_key=KEY)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer sk-wrong", f"Basic {KEY}", KEY])
def test_every_path_is_shut_without_the_key(locked, header):
    headers = {} if header is None else {"Authorization": header}

    answers = [locked.get(path, headers=headers) for path in ("/v1/workflows", "/v1/workflows/x", "/nowhere")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert "API key" in answers[0].json()["detail"]
    assert KEY not in answers[0].text
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert "x-request-id" in answers[0].headers


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_key_opens(locked, scheme):
    assert locked.get("/v1/workflows", headers={"Authorization": f"{scheme} {KEY}"}).status_code == 200


def test_health_needs_no_key(locked):
    assert locked.get(locked.base_url.join("/healthz")).status_code == 200


def test_without_a_key_a_page_on_the_web_cannot_come_in_by_its_own_name(serve):
    client = serve(EMPTY)

    answer = client.get("/v1/workflows", headers={"Host": "evil.example:8611"})

    assert answer.status_code == 403
    assert "evil.example" in answer.json()["detail"]


def test_with_a_key_any_name_will_do(locked):
    answer = locked.get("/v1/workflows", headers={"Host": "api.example", "Authorization": f"Bearer {KEY}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8611", "app.localhost", "debugger", "10.0.0.7:80", "[::1]:8611", ""]
)
def test_a_name_that_no_stranger_can_own_is_local(host):
    assert is_local_name(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "1.2.3.4.evil.example", "[::1"]
)
def test_a_name_that_a_stranger_can_own_is_not_local(host):
    assert not is_local_name(host)
