from __future__ import annotations

import asyncio

import pytest

from debugger.exports.jobs import ExportJob
from debugger.store import Role
from debugger.views import downloads as module
from debugger.views.auth.logins import Login
from debugger.views.auth.owners import cookie_name
from debugger.views.downloads import MAX_FILES, MAX_SECONDS, DownloadRoute, Downloads, disposition
from tests.exports.test_formats import PLAIN, run_of
from tests.support.exports import written


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Logins:
    """One login by a cookie, or none at all."""

    def __init__(self, login=None, *, is_needed=True):
        self.login, self.is_needed = login, is_needed

    async def find_nonblocking(self, cookies):
        return self.login if cookies.get("login") == "yes" else None


ADA = Login("Ada", Role.READ, "digest", 0.0)


@pytest.fixture
def job():
    made = ExportJob(lambda: iter([run_of("Hi " * 200_000)]), 1, PLAIN, "Ärger runs.csv")
    made.start()
    assert made.wait(10)
    yield made
    made.close()


@pytest.fixture
def world(monkeypatch):
    """Downloads of their own, with the logins of a test."""
    own = Downloads()
    monkeypatch.setattr(module, "downloads", own)

    def using(logins):
        monkeypatch.setattr(module, "page_logins", lambda: logins)
        return own

    return using


def fetch(path, cookies="", method="GET"):
    """The status, headers and body that a request gets; another application answers 299."""
    sent = []

    async def send(message):
        sent.append(message)

    async def other(scope, receive, send):
        await send({"type": "http.response.start", "status": 299, "headers": []})

    headers = [(b"cookie", cookies.encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    asyncio.run(DownloadRoute(other)(scope, None, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def browser(name, login="yes"):
    return f"{cookie_name()}={name}; login={login}"


def test_file_is_fetched_once_and_deleted(world, job):
    token = world(Logins(is_needed=False)).offer(job, "firefox")

    status, headers, body = fetch(f"/exports/{token}", browser("firefox"))

    assert (status, body) == (200, written([run_of("Hi " * 200_000)], PLAIN))
    assert int(headers[b"content-length"]) == len(body) > module._PART
    assert headers[b"content-disposition"] == (
        b"attachment; filename=\"_rger_runs.csv\"; filename*=UTF-8''%C3%84rger%20runs.csv"
    )
    assert fetch(f"/exports/{token}", browser("firefox"))[0] == 404
    assert job.read(0, 1) == b""


@pytest.mark.parametrize(
    ("owner", "cookies", "status"),
    [
        ("firefox Ada", browser("firefox"), 200),
        ("firefox Ada", browser("firefox", login="no"), 404),
        ("firefox Ada", browser("chromium"), 404),
        ("firefox Bob", browser("firefox"), 404),
        ("firefox", browser("firefox"), 404),
        ("firefox Ada", "login=yes", 404),
        ("firefox Ada", "", 404),
    ],
)
def test_file_is_for_its_user_and_browser_alone(world, job, owner, cookies, status):
    token = world(Logins(ADA)).offer(job, owner)

    assert fetch(f"/exports/{token}", cookies)[0] == status


def test_user_who_lost_the_role_gets_nothing(world, job):
    token = world(Logins(Login("Ada", None, "digest", 0.0))).offer(job, "firefox Ada")

    assert fetch(f"/exports/{token}", browser("firefox"))[0] == 404


@pytest.mark.parametrize("path", ["/exports/", "/exports/guess", "/exports/../x"])
def test_unknown_file_is_not_found(world, path):
    world(Logins(is_needed=False))

    assert fetch(path, browser("firefox"))[0] == 404


def test_other_requests_are_passed_on(world, job):
    token = world(Logins(is_needed=False)).offer(job, "firefox")

    assert fetch("/runs", browser("firefox"))[0] == 299
    assert fetch(f"/exports/{token}", browser("firefox"), "HEAD")[0] == 405
    assert fetch(f"/exports/{token}", browser("firefox"), "POST")[0] == 405


def test_file_is_deleted_after_an_hour(job):
    clock = Clock()
    held = Downloads(clock)
    token = held.offer(job, "firefox")

    clock.now += MAX_SECONDS + 1

    assert held.find(token, "firefox") is None
    assert job.read(0, 1) == b""


def test_oldest_files_of_a_browser_make_room(job):
    held = Downloads()
    tokens = [held.offer(job, "firefox") for _ in range(MAX_FILES)]
    other = held.offer(job, "chromium")

    held.offer(job, "firefox")

    assert [held.find(token, "firefox") is None for token in tokens] == [True] + [False] * (MAX_FILES - 1)
    assert held.find(other, "chromium") is job


@pytest.mark.parametrize("name", ['a"b\r\nX: y.csv', "x/../y.csv", "茶.csv"])
def test_file_name_cannot_leave_its_header(name):
    found = disposition(name)

    assert found.isascii()
    assert not any(character in found for character in "\r\n/")
    assert found.count('"') == 2


def test_file_under_way_is_sent_whole(world, job):
    own = world(Logins(is_needed=False))
    token = own.offer(job, "firefox")
    parts, others = [], []

    async def other(message):
        others.append(message)

    async def send(message):
        parts.append(message.get("body", b""))
        if len(parts) == 2:  # a second click, while the first one is answered
            await DownloadRoute(None)(scope, None, other)

    headers = [(b"cookie", browser("firefox").encode())]
    scope = {"type": "http", "method": "GET", "path": f"/exports/{token}", "headers": headers}
    asyncio.run(DownloadRoute(None)(scope, None, send))

    assert b"".join(parts) == written([run_of("Hi " * 200_000)], PLAIN)
    assert others[0]["status"] == 404
