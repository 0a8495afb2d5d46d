"""Scenarios of others, and calls, by a forged browser of a user who may run."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection

from debugger.scenarios.preparation import scenario_settings
from debugger.scenarios.stored import read_stored, store_scenario
from debugger.settings import Settings
from debugger.store import Role, Store
from debugger.store.scenarios import Writer
from debugger.views.middleware import SCRIPT
from tests.safety.page import messages_until_end, open_socket
from tests.safety.test_page_commands import serve, sign_in

TEXT = "version: 1\nname: {name}\nworkflow: Tea shop\nturns: [{{say: {line}}}]\n"
EVE, BOSS = Writer("Eve", Role.RUN), Writer("Boss", Role.ADMIN)
OWN = Writer("User who may run", Role.RUN)


@dataclass
class Browser:
    """The page Suites, with the ids of what it has drawn so far."""

    socket: ClientConnection
    ids: dict[str, str] = field(default_factory=dict)
    """Those of buttons by their keys, of components by what they tell a screen reader."""

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


@pytest.mark.parametrize("policy", ["blocked", "simulated"])
def test_stored_scenario_loosens_no_calls(policy):
    wanted = "calls: {talk: live, read: live, write: live, contact: live}\n"
    names = ("outbound_talk", "outbound_read", "outbound_write", "outbound_contact")
    settings = Settings(database="sqlite://", **dict.fromkeys(names, policy))

    own = scenario_settings(read_stored(text("Mine") + wanted).scenario, settings)

    assert {getattr(own, name) for name in names} == {policy}
