"""Two processes of the app on one PostgreSQL, behind a reverse proxy."""

from __future__ import annotations

import random
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from debugger.store import Role
from tests.browser.conftest import free_port, running
from tests.browser.driving import export_run, go_to, open_app, say, settled, start
from tests.support.factories import document
from tests.support.factories import say as talk
from tests.support.postgres import a_database, a_schema
from tests.support.proxy import proxy

pytestmark = pytest.mark.browser

SECRET = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Team:
    addresses: list[tuple[str, int]]
    keys: dict[str, str]
    database: str
    logs: list[Path]


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Iterator[Team]:
    """Two processes with a login: as on two machines, their ports are the same."""
    folder, port = tmp_path_factory.mktemp("replicas"), free_port()
    hosts = ("127.0.0.1", "127.0.0.2")
    with ExitStack() as stack:
        database = stack.enter_context(a_schema(stack.enter_context(a_database())))
        with closing(EmbeddedBackend(Settings(database=database))) as backend:
            backend.create_workflow(document(talk("chat"), name="Tea shop"))
            users = ("Ada", "Eve")
            keys = {person: backend.store.api_keys.add(person, Role.RUN)[1] for person in users}
        logs = []
        for host in hosts:
            environment = {
                "WORKFLOW_DEBUGGER_DATABASE": database,
                "WORKFLOW_DEBUGGER_ALLOWED_HOSTS": "debugger.example",
                "WORKFLOW_DEBUGGER_RESPONDER": "rules",
                "STREAMLIT_SERVER_COOKIE_SECRET": SECRET,
            }
            (own := folder / host).mkdir()
            command = [sys.executable, "-m", "debugger", "app", "--host", host, "--port", str(port)]
            server = stack.enter_context(running(command, "/_stcore/health", port, own, **environment))
            logs.append(server.log)
            wait_until_listening(host, port)  # that other one was asked for its health, too
        yield Team([(host, port) for host in hosts], keys, database, logs)


def wait_until_listening(host: str, port: int) -> None:
    for _ in range(400):
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on {host}, port {port}")


@contextmanager
def signed_in(chromium: Browser, url: str, key: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(url)
    page.locator("input[type=password]").fill(key)
    page.get_by_role("button", name="Sign in").click()
    open_app(page, url)
    yield page
    context.close()


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.campaign)])
def test_sticky_users_meet_no_error(chromium: Browser, team: Team, count: int):
    chance = random.Random(21)
    with ExitStack() as stack:
        port, numbers = stack.enter_context(proxy(team.addresses, is_sticky=True))
        url = f"http://127.0.0.1:{port}"
        pages = [stack.enter_context(signed_in(chromium, url, key)) for key in team.keys.values()]
        for page in pages:
            start(page)
        for number in range(count):
            page = pages[number % len(pages)]
            action = chance.choice(["say", "say", "export", "runs", "reload"])
            if action == "say":
                say(page, f"Message {number}")
            elif action == "export":
                assert export_run(page).path().stat().st_size > 0
            elif action == "runs":
                go_to(page, "Runs")
                go_to(page, "Debug")
            if action in ("export", "reload"):  # the dialog of an export stays open
                page.reload()
                settled(page)
            expect(page.get_by_role("alert")).to_have_count(0)

    assert min(numbers) > 0
    with closing(EmbeddedBackend(Settings(database=team.database))) as backend:
        authors = {run.run_by for run in backend.runs().rows}
    assert authors == set(team.keys)
    assert not [log for log in team.logs if "Traceback" in log.read_text()]


@pytest.mark.parametrize("count", [1, 2])
def test_page_reports_missing_stickiness(chromium: Browser, team: Team, count: int):
    """With one process there is nothing to report."""
    warning = "Several processes of this app answer this browser"
    with ExitStack() as stack:
        port, _ = stack.enter_context(proxy(team.addresses[:count], is_sticky=False))
        page = stack.enter_context(signed_in(chromium, f"http://127.0.0.1:{port}", team.keys["Ada"]))
        for _ in range(6):  # each time by chance at the same process or another
            if page.get_by_text(warning).count():
                break
            page.reload()
            settled(page)
        expect(page.get_by_text(warning)).to_have_count(count - 1)
