"""Scenarios of others, and calls, by a forged browser of a user who may run."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection

from debugger.scenarios.stored import store_scenario
from debugger.store import Role, Store
from debugger.store.scenarios import Writer
from debugger.views.middleware import SCRIPT
from tests.safety.page import messages_until_end, open_socket
from tests.safety.test_page_commands import serve, sign_in
from tests.support.factories import direct, document, node, static
from tests.support.http_server import HttpServer

TEXT = "version: 1\nname: {name}\nworkflow: Tea shop\nturns: [{{say: {line}}}]\n"
EVE, BOSS = Writer("Eve", Role.RUN), Writer("Boss", Role.ADMIN)
OWN = Writer("User who may run", Role.RUN)


@dataclass
class Browser:
    """The page Suites, with the ids of what it has drawn so far."""

    socket: ClientConnection
    ids: dict[str, str] = field(default_factory=dict)
    """Those of buttons by their keys, of components by what they tell a screen reader, of bars by items."""

    def run(self, *states: WidgetState) -> str:
        """Let the script run; return the errors that it shows."""
        message = BackMsg()
        message.rerun_script.page_name = "suites"
        message.rerun_script.widget_states.widgets.extend(states)
        self.socket.send(message.SerializeToString())
        shown = ""
        for each in messages_until_end(self.socket):
            element = each.delta.new_element
            shown += element.alert.body
            if element.button.id:
                self.ids[element.button.id.rpartition("-")[2]] = element.button.id
            if element.bidi_component.id:
                data = json.loads(element.bidi_component.json or "{}")
                name = data.get("aria_label") or data.get("label")
                self.ids[name if isinstance(name, str) else ""] = element.bidi_component.id
                for line in json.loads(data.get("bars", "[]")):
                    self.ids |= {item.get("key", ""): element.bidi_component.id for item in line["items"]}
        return shown

    def press(self, key: str) -> str:
        return self.run(WidgetState(id=self.ids[key], trigger_value=True))

    def send(self, name: str, event: str, value: object) -> str:
        state = WidgetState(id=_make_trigger_id(self.ids[name], "events"))
        state.json_trigger_value = json.dumps([{"event": event, "value": value}])
        return self.run(state, WidgetState(id=self.ids[name], json_value="{}"))

    def choose(self, name: str) -> None:
        self.send("Scenarios of the suite", "chosen", f"stored::{name}")


def text(name, line="Hello"):
    return TEXT.format(name=name, line=line)


def test_run_user_changes_no_scenario_of_another(tmp_path):
    with serve(tmp_path, SCRIPT) as site, closing(Store(f"sqlite:///{site.database}")) as store:
        scenarios = store.scenarios
        store_scenario(scenarios, text("Theirs"), EVE, expected=0)
        mine = store_scenario(scenarios, text("Mine"), OWN, expected=0)
        with open_socket(site.port, cookie=sign_in(site, Role.RUN)) as socket:
            browser = Browser(socket)
            browser.run()

            browser.choose("Mine")
            browser.press("suite_text_button")
            browser.send("Scenario", "edited", text("Theirs", "Forged"))
            renamed = browser.press("save_scenario_text")
            after_rename = scenarios.find("Theirs").text

            browser.choose("Theirs")
            browser.press("suite_text_button")
            browser.send("Scenario", "edited", text("Theirs", "Forged"))
            browser.press("save_scenario_text")
            browser.press("suite_delete")
            after_press = scenarios.find("Theirs").text

            browser.choose("Mine")
            browser.press("suite_text_button")
            scenarios.delete("Mine", BOSS, expected=mine.revision)
            store_scenario(scenarios, text("Mine", "Eve's"), EVE, expected=0)
            browser.send("Scenario", "edited", text("Mine", "Forged"))
            taken = browser.press("save_scenario_text")

        assert "another name" in renamed or "has the name" in renamed
        assert after_rename == after_press == text("Theirs")
        assert "belongs to Eve" in taken
        assert {each.name: (each.author, each.text) for each in scenarios.all()} == {
            "Theirs": ("Eve", text("Theirs")),
            "Mine": ("Eve", text("Mine", "Eve's")),
        }


@pytest.mark.parametrize("policy", ["live", "simulated", "blocked"])
def test_run_user_loosens_no_calls(tmp_path, policy):
    """Neither the editor, nor Save over what is stored, nor what is stored otherwise loosens any."""
    classes = ("talk", "read", "write", "contact")
    environment = {f"WORKFLOW_DEBUGGER_OUTBOUND_{name.upper()}": policy for name in classes}
    with (
        HttpServer() as server,
        serve(tmp_path, SCRIPT, WORKFLOW_DEBUGGER_OUTBOUND_PRIVATE="allow", **environment) as site,
        closing(Store(f"sqlite:///{site.database}")) as store,
    ):
        shop = store.create_workflow(
            document(
                node("ask", "http_request", url=f"{server.url}/slots"),
                node("book", "http_request", url=f"{server.url}/book", method="POST"),
                static("end", "Done."),
                direct("ask", "book"),
                direct("book", "end"),
                name="Shop",
            )
        )
        wanted = text("Mine", "Book").replace("Tea shop", shop.id)
        loosened = f"{wanted}calls: {{{', '.join(f'{name}: live' for name in classes)}}}\n"
        store_scenario(store.scenarios, wanted, OWN, expected=0)
        store_scenario(store.scenarios, loosened.replace("Mine", "Uploaded"), OWN, expected=0)
        with open_socket(site.port, cookie=sign_in(site, Role.RUN)) as socket:
            browser = Browser(socket)
            browser.run()
            browser.choose("Mine")
            browser.press("suite_text_button")
            browser.send("Scenario", "edited", loosened)
            browser.press("save_scenario_text")
            browser.send("suites_run", "used", [[1, "suites_run", None]])
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not store.suites.newest()[0].is_complete:
                browser.run()
        [suite] = store.suites.newest()

        assert store.scenarios.find("Mine").text == loosened
        assert (suite.selected, suite.is_complete) == (2, True)
        arrived = [(each.method, each.path) for each in server.received]
        assert arrived == ([("GET", "/slots"), ("POST", "/book")] * 2 if policy == "live" else [])
