"""Attacks on the access to a real `streamlit run app.py`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from debugger.store import Role, Store
from tests.browser.conftest import ROOT, free_port, running
from tests.safety.page import messages_of, messages_until_end, open_socket, run_script

PAGE = {"accept": "text/html"}
PROTECTED = [
    "/",
    "/runs",
    "/static/js/index.js",
    "/media/0000.json",
    "/component/x/index.html",
    "/_stcore/bidi-components/x/y.js",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/elements/control_bar-0000000000000000.js",
    "/favicon.png",
    "/auth/logout",
]
REVOCATION_SECONDS = 2.0


@dataclass(frozen=True)
class App:
    port: int
    folder: Path
    keys: Mapping[str, str]
    """The API keys by their users; they were made before the start."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def revoke(self, person: str) -> None:
        with closing(Store(f"sqlite:///{self.folder}/runs.sqlite3")) as store:
            (key_id,) = [key.id for key in store.api_keys.all() if key.person == person]
            store.api_keys.revoke(key_id)


def command(port: int, address: str) -> list[str]:
    flags = ["--server.port", str(port), "--server.address", address, "--server.fileWatcherType", "none"]
    return [sys.executable, "-m", "streamlit", "run", "app.py", *flags]


@contextmanager
def app_on(address: str, folder: Path, users: Mapping[str, Role], **environment: str) -> Iterator[App]:
    port, database = free_port(), f"sqlite:///{folder}/runs.sqlite3"
    with closing(Store(database)) as store:
        keys = {person: store.api_keys.add(person, role)[1] for person, role in users.items()}
    own = {"WORKFLOW_DEBUGGER_DATABASE": database, **environment}
    with running(command(port, address), "/_stcore/health", port, folder, **own):
        yield App(port, folder, keys)


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Iterator[App]:
    """A page on loopback, without a login."""
    with app_on("127.0.0.1", tmp_path_factory.mktemp("local"), {}) as app:
        yield app


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Iterator[App]:
    """A page on all addresses and under another name, with a login."""
    users = {"Ada": Role.RUN, "Eve": Role.ADMIN, "Mallory": Role.RUN}
    hosts = {"WORKFLOW_DEBUGGER_ALLOWED_HOSTS": "debugger.example"}
    with app_on("0.0.0.0", tmp_path_factory.mktemp("team"), users, **hosts) as app:
        yield app


def sign_in(app: App, key: str, **form: str) -> httpx.Response:
    return httpx.post(f"{app.url}/login", data={"key": key, **form}, headers={"origin": app.url})


def login_cookie(response: httpx.Response) -> str:
    (name,) = [name for name in response.cookies if name.startswith("workflow_debugger_login_")]
    return f"{name}={response.cookies[name]}"


def cookie_of_owner(response: httpx.Response) -> str:
    (name,) = [name for name in response.cookies if re.fullmatch(r"workflow_debugger_\d+", name)]
    return f"{name}={response.cookies[name]}"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_rebound_host_is_refused(local, host):
    answer = httpx.get(local.url, headers={"host": host, **PAGE})

    assert answer.status_code == 403
    assert "WORKFLOW_DEBUGGER_ALLOWED_HOSTS" in answer.text
    with pytest.raises(InvalidStatus) as refused, open_socket(local.port, host=host):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_names_of_this_machine_accept_any_port(local, name):
    for port in ("", ":1", f":{local.port}"):
        assert httpx.get(local.url, headers={"host": name + port, **PAGE}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:1", "http://localhost:{port}", "null", "{url}.evil.example"],
)
def test_other_origin_is_refused(local, origin):
    origin = origin.format(port=local.port, url=local.url)
    for method in ("GET", "POST", "PUT", "DELETE"):
        path = "/_stcore/upload_file/a/b"
        assert httpx.request(method, local.url + path, headers={"origin": origin}).status_code == 403
    with pytest.raises(InvalidStatus) as refused, open_socket(local.port, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_own_origin_is_accepted(local):
    with open_socket(local.port) as page:
        run_script(page)
        assert next(messages_of(page, 10)).WhichOneof("type")


def test_tables_offer_no_csv_of_their_own(local):
    with open_socket(local.port) as page:
        run_script(page)
        began = [each for each in messages_until_end(page) if each.WhichOneof("type") == "new_session"]

    assert began[0].new_session.config.disable_data_export


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip"])
def test_page_without_login_refuses_a_proxy(local, header):
    answer = httpx.get(local.url, headers={header: "203.0.113.1", **PAGE})

    assert answer.status_code == 403
    assert "no login" in answer.text


@pytest.mark.parametrize("path", ["/", "/runs", "/_stcore/health", "/_stcore/host-config", "/static/none.js"])
def test_every_response_has_the_headers(local, path):
    headers = httpx.get(local.url + path, headers=PAGE).headers

    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["frame-ancestors"] == "'none'"
    assert policy["default-src"] == policy["connect-src"] == "'self'"
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & set(policy["script-src"].split())
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_page_without_login_binds_this_machine_only(tmp_path):
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    with closing(Store(database)) as store:
        key, _ = store.api_keys.add("Ada", Role.ADMIN)
        store.api_keys.revoke(key.id)  # opens nothing

    ended = subprocess.run(
        command(free_port(), "0.0.0.0"),
        env={**os.environ, "HOME": str(tmp_path), "WORKFLOW_DEBUGGER_DATABASE": database},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 1
    *log, error = ended.stderr.splitlines()
    assert error.startswith("error: ") and "no login, so it does not start" in error
    assert all("Inline Python: " in line for line in log)


def test_health_needs_no_login(team):
    answer = httpx.get(f"{team.url}/healthz", headers={"host": "10.1.2.3:8501"})

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_counters_need_key(team):
    url, key = f"{team.url}/metrics", team.keys["Mallory"]

    refused = [httpx.get(url, headers=sent) for sent in ({}, {"authorization": "Bearer wfd_wrong"})]
    answer = httpx.get(url, headers={"authorization": f"Bearer {key}"})

    assert [each.status_code for each in refused] == [401, 401]
    assert answer.status_code == 200
    assert "debugger_turns_in_progress 0.0" in answer.text


@pytest.mark.parametrize(("person", "status"), [("Ada", 403), ("Eve", 200)])
def test_counters_of_sessions_need_administrator(team, person, status):
    headers = {"cookie": login_cookie(sign_in(team, team.keys[person]))}

    spellings = ["/_stcore/metrics", "/_stcore/metrics/", "/%5fstcore/metrics", "/_stcore/metrics?families=x"]
    got = [
        httpx.request(method, team.url + path, headers=headers, follow_redirects=True).status_code
        for path in spellings
        for method in ("GET", "OPTIONS")
    ]

    assert {each for each in got if each < 300} <= ({200, 204} if status == 200 else set())
    assert got[0] == status


@pytest.mark.parametrize("host", ["localhost", "debugger.example", "127.0.0.1"])
def test_everything_needs_a_login(team, host):
    for path in PROTECTED:
        answer = httpx.get(team.url + path, headers={"host": host})
        assert answer.status_code == 401, path
        page = httpx.get(f"{team.url}{path}?run=1&x=%26", headers={"host": host, **PAGE})
        assert page.status_code == 303
        assert page.headers["location"].startswith("/login?next=")
    for method in ("PUT", "DELETE", "POST", "OPTIONS"):
        path = "/_stcore/upload_file/a/b"
        assert httpx.request(method, team.url + path, headers={"host": host}).status_code == 401
    with pytest.raises(InvalidStatus) as refused, open_socket(team.port):
        pass
    assert refused.value.response.status_code == 403
    assert httpx.get(f"{team.url}/_stcore/health").text == "ok"


def test_other_hosts_are_refused_with_login(team):
    key = team.keys["Ada"]
    cookie = login_cookie(sign_in(team, key))

    assert httpx.get(team.url, headers={"host": "evil.example", "cookie": cookie}).status_code == 403
    assert httpx.get(team.url, headers={"host": "debugger.example", "cookie": cookie}).status_code == 200


def test_login_opens_page_files_and_socket(team):
    key = team.keys["Ada"]
    answer = sign_in(team, key, next="/runs?run=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?run=1")
    set_cookie = next(value for value in answer.headers.get_list("set-cookie") if "_login_" in value)
    assert re.search(r"; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax$", set_cookie)
    cookie = login_cookie(answer)
    assert httpx.get(team.url, headers={"cookie": cookie, **PAGE}).status_code == 200
    assert key not in cookie
    with open_socket(team.port, cookie=cookie) as page:
        run_script(page)
        texts = b"".join(message.SerializeToString() for message in messages_until_end(page))
    assert b"Ada" in texts


def test_browser_stores_no_page_of_user(team):
    cookie = login_cookie(sign_in(team, team.keys["Ada"]))
    with httpx.Client(base_url=team.url, headers={"cookie": cookie, **PAGE}) as browser:
        first = browser.get("/runs")
        with_owner = browser.get("/runs", headers={"cookie": "; ".join([cookie, cookie_of_owner(first)])})

    assert [each.headers.get_list("cache-control") for each in (first, with_owner)] == [["no-store"]] * 2


def test_session_is_continued_by_its_user_alone(team):
    ada, eve = (login_cookie(sign_in(team, team.keys[person])) for person in ("Ada", "Eve"))
    with open_socket(team.port, cookie=ada) as page:
        run_script(page)
        began = [each for each in messages_until_end(page) if each.WhichOneof("type") == "new_session"]
        session = began[0].new_session.initialize.session_id

    drawn, sessions = {}, {}
    for user, cookie in (("Eve", eve), ("Ada", ada)):
        with open_socket(team.port, cookie=cookie, session=session) as page:
            run_script(page)
            messages = list(messages_until_end(page))
            began = [each for each in messages if each.WhichOneof("type") == "new_session"]
            sessions[user] = began[0].new_session.initialize.session_id
            drawn[user] = b"".join(each.SerializeToString() for each in messages)

    assert sessions["Eve"] != session  # one of her own, in which nothing of Ada's is
    assert sessions["Ada"] == session
    assert b"Ada" not in drawn["Eve"]
    assert b"Sign out" in drawn["Ada"]


def test_cookie_is_secure_behind_tls_proxy(team):
    key = team.keys["Ada"]
    headers = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.1"}

    answer = httpx.post(f"{team.url}/login", data={"key": key}, headers=headers)

    assert all(value.endswith("; Secure") for value in answer.headers.get_list("set-cookie"))


def test_tampered_cookies_are_refused(team):
    key = team.keys["Ada"]
    cookie, other = (login_cookie(sign_in(team, team.keys[person])) for person in ("Ada", "Eve"))
    name, _, value = cookie.partition("=")
    key_id, issued, nonce, signature = value.split(".")
    other_id = other.partition("=")[2].split(".")[0]
    forged = [
        f"{other_id}.{issued}.{nonce}.{signature}",
        f"{key_id}.{int(issued) + 60}.{nonce}.{signature}",
        f"{key_id}.{issued}.{nonce}.{'0' * 64}",
        f"{key_id}.{issued}.{nonce}.",
        f"{key_id}.{issued}.{nonce}",
        signature,
        "",
        ".",
        "\u00e9.\u00e9",
        key,
    ]

    for each in forged:
        headers = {"cookie": f"{name}={each}".encode("latin-1")}
        assert httpx.get(f"{team.url}/media/x", headers=headers).status_code == 401, each
    assert httpx.get(f"{team.url}/media/x", headers={"cookie": cookie}).status_code == 404


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "\\\\evil",
        "",
        "/\r\nX: 1",
    ],
)
def test_login_leads_to_no_other_site(team, target):
    key = team.keys["Ada"]
    answer = sign_in(team, key, next=target)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "x" not in answer.headers
    cookie = login_cookie(answer)
    shown = httpx.get(f"{team.url}/login", params={"next": target}, headers={"cookie": cookie})
    assert (shown.status_code, shown.headers["location"]) == (303, "/")


def test_login_page_repeats_no_markup(team):
    target = '/"><script>alert(1)</script>'
    answer = httpx.get(f"{team.url}/login", params={"next": target})

    assert "<script" not in answer.text
    assert "&lt;script" in answer.text or "%3Cscript" in answer.text


def test_wrong_keys_are_limited_without_lockout(team):
    key = team.keys["Ada"]
    proxied = {"x-forwarded-for": "203.0.113.99"}  # an address of its own, for the sake of the other tests

    def attempt(value: str) -> int:
        return httpx.post(f"{team.url}/login", data={"key": value}, headers=proxied).status_code

    assert [attempt(f"wfd_{number}") for number in range(12)] == [401] * 10 + [429] * 2
    assert attempt(key) == 303


def test_form_of_another_site_cannot_log_in(team):
    key = team.keys["Ada"]
    cookie = login_cookie(sign_in(team, key))
    evil = {"origin": "http://evil.example"}

    assert httpx.post(f"{team.url}/login", data={"key": key}, headers=evil).status_code == 403
    assert httpx.post(f"{team.url}/logout", headers={**evil, "cookie": cookie}).status_code == 403
    assert httpx.get(f"{team.url}/logout", headers={"cookie": cookie}).status_code == 405
    assert httpx.get(team.url, headers={"cookie": cookie}).status_code == 200


def test_copied_cookie_is_refused_after_logout(team):
    key = team.keys["Ada"]
    cookie, other = (login_cookie(sign_in(team, key)) for _ in range(2))

    answer = httpx.post(f"{team.url}/logout", headers={"origin": team.url, "cookie": cookie})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert httpx.get(team.url, headers={"cookie": cookie}).status_code == 401
    assert httpx.get(team.url, headers={"cookie": other}).status_code == 200


def test_revoked_key_loses_page_files_and_socket(team):
    key = team.keys["Mallory"]
    cookie = login_cookie(sign_in(team, key))
    with open_socket(team.port, cookie=cookie) as page:
        run_script(page)
        list(messages_until_end(page))

        team.revoke("Mallory")
        revoked_at = time.monotonic()
        received = []
        with pytest.raises(ConnectionClosed) as closed:
            received.extend(messages_of(page, 5))
        assert time.monotonic() - revoked_at < REVOCATION_SECONDS
        assert closed.value.rcvd.code == 4401
        assert received[-1].auth_redirect.url == "/login"  # to which the browser goes
    assert httpx.get(team.url, headers={"cookie": cookie, **PAGE}).status_code == 303
    assert httpx.get(f"{team.url}/media/x", headers={"cookie": cookie}).status_code == 401
    assert sign_in(team, key).status_code == 401
