"""Each command of the page by users of each role, over the WebSocket of a real page."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import ClientConnection

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from debugger.store import Role
from tests.browser.conftest import free_port, running
from tests.safety.page import messages_until_end, open_socket
from tests.support.factories import document, say

APP = """
import streamlit as st
from debugger.views.middleware import page_middleware

app = st.App({script!r}, middleware=page_middleware())
"""
SCRIPT = Path(__file__).with_name("commands_page.py")
CHANGED_BY_LOOKING = {"run_facts", "spoken", "audit_entries"}
"""Tables of what is derived from runs when they are read, and of what users did."""
MUST_CHANGE = {
    *("actions:import_workflow", "panels.notes:star"),
    *("panels.runs.actions:_decide", "panels.review.actions:decide"),
}
"""Some of the commands that change the store with the arguments that they are given here."""


@dataclass(frozen=True)
class Site:
    port: int
    database: Path
    keys: Mapping[Role, str]
    run_id: str

    def content(self) -> dict[str, list[str]]:
        """All rows of all tables."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            names = [
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            return {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names}


@contextmanager
def serve(folder: Path, script: Path, **more: str) -> Iterator[Site]:
    """A page of a script, with a user of each role, and a run that another one has made."""
    port, database = free_port(), folder / "runs.sqlite3"
    (folder / "app.py").write_text(APP.format(script=str(script)))
    with closing(EmbeddedBackend(Settings(database=f"sqlite:///{database}", responder="rules"))) as backend:
        workflow = backend.create_workflow(document(say("chat"), name="Tea shop"))
        turn = TurnInput.with_message("Hello", command="start")
        run_id = backend.execute(workflow.id, turn).finish().run_id
        keys = {role: backend.store.api_keys.add(f"User who may {role}", role)[1] for role in Role}
    environment = {
        "WORKFLOW_DEBUGGER_DATABASE": f"sqlite:///{database}",
        "WORKFLOW_DEBUGGER_ALLOWED_HOSTS": "debugger.example",
        "WORKFLOW_DEBUGGER_RESPONDER": "rules",
        "PYTHONPATH": str(SCRIPT.parents[2]),
        **more,
    }
    flags = ["--server.port", str(port), "--server.fileWatcherType", "none", "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py"), *flags]
    with running(command, "/_stcore/health", port, folder, **environment):
        yield Site(port, database, keys, run_id)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with serve(tmp_path_factory.mktemp("commands"), SCRIPT) as served:
        yield served


@dataclass
class Page:
    """The page of a user, with the buttons that it shows."""

    socket: ClientConnection
    query: str
    buttons: dict[str, str]
    """The ids of the buttons by their commands."""
    roles: dict[str, str]
    """The roles that the commands need."""

    def press(self, name: str) -> tuple[str, str]:
        """Press a button; return what came of it, and the error."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        trigger = message.rerun_script.widget_states.widgets.add()
        trigger.id, trigger.trigger_value = self.buttons[name], True
        command, outcome, error = self.draw(message)
        assert command == name
        return outcome, error

    def draw(self, message: BackMsg) -> tuple[str, str, str]:
        """Let the script run; return the outcome that it shows."""
        self.socket.send(message.SerializeToString())
        found = ""
        for each in messages_until_end(self.socket):
            element = each.delta.new_element
            name, _, role = element.button.label.partition("|")
            if role:
                self.buttons[name], self.roles[name] = element.button.id, role
            if element.text.body.startswith("outcome|"):
                found = element.text.body
        _, name, outcome, error = found.split("|", 3)
        return name, outcome, error


def sign_in(site: Site, role: Role) -> str:
    """Return the cookies of a user's browser."""
    with httpx.Client() as browser:
        url = f"http://127.0.0.1:{site.port}"
        browser.post(f"{url}/login", data={"key": site.keys[role]}, headers={"origin": url})
        browser.get(url, headers={"accept": "text/html"})
        return "; ".join(f"{each.name}={each.value}" for each in browser.cookies.jar)


@pytest.fixture(params=Role)
def user(request, site) -> Iterator[tuple[Role, Page]]:
    """A user with the page on which the run is."""
    role = request.param
    cookie = sign_in(site, role)
    with open_socket(site.port, cookie=cookie) as socket:
        page = Page(socket, f"backend=embedded&run={site.run_id}", {}, {})
        message = BackMsg()
        message.rerun_script.query_string = page.query
        page.draw(message)
        yield role, page


def test_command_needs_its_role_and_changes_nothing_without(site, user):
    role, page = user
    refused = {
        name for name, needed in page.roles.items() if needed != "none" and not role.covers(Role(needed))
    }
    before = site.content()

    faults = {}
    for name in sorted(refused):
        outcome, error = page.press(name)
        after = site.content()
        changed = [table for table in after if after[table] != before[table]]
        if outcome != "refused" or f"you have {role}" not in error or changed:
            faults[name] = (outcome, error, changed)
        before = after

    assert len(page.roles) > 120
    assert faults == {}
    assert (len(refused) > 110) == (role is Role.READ)


def test_command_that_only_looks_changes_nothing(site, user):
    _, page = user
    before = site.content()

    faults = {}
    for name in sorted(name for name, needed in page.roles.items() if needed in ("none", Role.READ)):
        outcome, error = page.press(name)
        after = site.content()
        changed = {table for table in after if after[table] != before[table]} - CHANGED_BY_LOOKING
        if outcome == "refused" or changed:
            faults[name] = (outcome, error, changed)
        before = after

    assert faults == {}


def test_administrator_is_refused_nothing(site, user):
    role, page = user
    if role is not Role.ADMIN:
        pytest.skip("other roles are refused some")

    outcomes, changing, before = {}, set(), site.content()
    for name in sorted(page.roles):
        outcomes[name] = page.press(name)
        after = site.content()
        changing |= {name} if after != before else set()
        before = after

    assert {name: error for name, (_, error) in outcomes.items() if "Needs the role" in error} == {}
    assert changing >= MUST_CHANGE
