from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.server.auth import keys as auth_keys
from debugger.server.auth.middleware import MAX_WRONG_KEYS, WrongKeys, is_local_host
from debugger.settings import Settings
from debugger.store import Role
from tests.support.factories import document, static

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


def test_server_without_key_rejects_foreign_host(serve):
    client = serve(EMPTY)

    answer = client.get("/v1/workflows", headers={"Host": "evil.example:8611"})

    assert answer.status_code == 403
    assert "evil.example" in answer.json()["detail"]


@pytest.mark.parametrize("media_type", [None, "text/plain", "text/plain;json", "multipart/form-data"])
def test_server_without_key_rejects_foreign_posts(api, media_type):
    created = api.post("/v1/workflows", json={**document(static("a", "Hello")), "name": "Tea"})
    path = f"/v1/workflows/{created.json()['workflow']['_id']}/versions"
    headers = {} if media_type is None else {"Content-Type": media_type}
    own = str(api.base_url).removesuffix("/workflows/")

    answers = [
        api.post(path, headers={**headers, "Origin": origin})
        for origin in ("https://evil.example", "null", own)
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 201]
    assert api.post(path).status_code == 201


def test_json_of_another_origin_is_answered(api):
    headers = {"Origin": "http://localhost:3000"}

    answer = api.post("/v1/workflows", json={"name": "Tea"}, headers=headers)

    assert answer.status_code == 201


def test_with_a_key_any_name_will_do(locked):
    answer = locked.get("/v1/workflows", headers={"Host": "api.example", "Authorization": f"Bearer {KEY}"})

    assert answer.status_code == 200


@pytest.fixture
def backend():
    with closing(EmbeddedBackend(Settings(database="sqlite://"))) as opened:
        yield opened


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def status(client, key):
    return client.get("/v1/workflows", headers=bearer(key)).status_code


def test_personal_and_shared_key_are_valid(serve, backend):
    _, key = backend.store.api_keys.add("Ada", Role.READ)
    client = serve(backend, api_key=KEY)

    assert [status(client, shown) for shown in (KEY, key, f"{key}x", "x")] == [200, 200, 401, 401]


def test_first_key_closes_open_server(serve, backend, monkeypatch):
    monkeypatch.setattr(auth_keys, "FRESH_SECONDS", 0.0)
    client = serve(backend)
    before = client.get("/v1/workflows").status_code

    _, key = backend.store.api_keys.add("Ada", Role.READ)

    assert (before, client.get("/v1/workflows").status_code, status(client, key)) == (200, 401, 200)


def test_revoking_last_key_keeps_server_closed(serve, backend, monkeypatch):
    monkeypatch.setattr(auth_keys, "FRESH_SECONDS", 0.0)
    added, key = backend.store.api_keys.add("Ada", Role.READ)
    client = serve(backend)
    before = status(client, key)

    backend.store.api_keys.revoke(added.id)

    assert (before, status(client, key), client.get("/v1/workflows").status_code) == (200, 401, 401)


def test_wrong_keys_are_limited_without_lockout(serve, backend):
    _, key = backend.store.api_keys.add("Ada", Role.READ)
    client = serve(backend)

    statuses = [status(client, f"wfd_{number}") for number in range(MAX_WRONG_KEYS + 1)]
    refused = client.get("/v1/workflows", headers=bearer("wfd_another"))

    assert statuses == [401] * MAX_WRONG_KEYS + [429]
    assert "retry-after" in refused.headers
    assert "key that is good here" in refused.json()["detail"]
    assert status(client, key) == 200


def test_unreadable_keys_answer_503(serve, backend, caplog):
    client = serve(backend, api_key=KEY)
    with backend.store._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE api_keys")

    answer = client.get("/v1/workflows", headers=bearer("wfd_x"))

    assert (answer.status_code, answer.json()) == (503, {"detail": "Service unavailable"})
    assert "api_keys" in caplog.text
    assert status(client, KEY) == 200


def test_owner_of_key_overrides_uuid(serve, backend):
    _, ada = backend.store.api_keys.add("Ada", Role.ADMIN)
    client = serve(backend, api_key=KEY)
    body = {**document(static("a", "Hello")), "name": "Tea"}

    said = {**bearer(ada), "uuid": "Bo"}, {**bearer(KEY), "uuid": "Bo"}, bearer(KEY)
    made = [client.post("/v1/workflows", json=body, headers=headers).json() for headers in said]

    assert [answer["workflow"]["created_by"] for answer in made] == ["Ada", "Bo", "me"]


def test_wrong_keys_count_by_address_and_minute():
    now = [0.0]
    wrong = WrongKeys(lambda: now[0])
    first = [wrong.retry_after("10.0.0.1") for _ in range(MAX_WRONG_KEYS)]
    now[0] = 59.0

    assert first == [None] * MAX_WRONG_KEYS
    assert wrong.retry_after("10.0.0.1") == 1.0
    assert wrong.retry_after("10.0.0.2") is None
    now[0] = 60.0
    assert wrong.retry_after("10.0.0.1") is None


def test_wrong_keys_count_by_ipv6_network():
    wrong = WrongKeys(lambda: 0.0)
    first = [wrong.retry_after(f"2001:db8:0:1::{place:x}") for place in range(MAX_WRONG_KEYS)]

    assert first == [None] * MAX_WRONG_KEYS
    assert wrong.retry_after("2001:db8:0:1:ffff::1") == 60.0
    assert wrong.retry_after("2001:db8:0:2::1") is None


def test_addresses_without_recent_wrong_keys_are_forgotten():
    now = [0.0]
    wrong = WrongKeys(lambda: now[0])
    wrong.retry_after("10.0.0.1")
    now[0] = 120.0

    wrong.retry_after("10.0.0.2")

    assert list(wrong._times) == ["10.0.0.2"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8611", "app.localhost", "debugger", "10.0.0.7:80", "[::1]:8611", ""]
)
def test_is_local_host_accepts_addresses_and_plain_names(host):
    assert is_local_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "1.2.3.4.evil.example", "[::1"]
)
def test_is_local_host_rejects_domains(host):
    assert not is_local_host(host)
