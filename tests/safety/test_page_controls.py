"""Each control that the page draws, used by a reader whose browser takes no notice of what is disabled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection

from debugger.store import Role
from debugger.views.middleware import SCRIPT
from debugger.views.shell import REPLAY, VIEWS
from tests.safety.page import messages_until_end, open_socket
from tests.safety.test_page_commands import CHANGED_BY_LOOKING, Site, serve, sign_in

FURTHER_PAGES = tuple(view.name for view in (*VIEWS, REPLAY) if view.name != "debug")
SIGNS_OUT = {"sign_out"}
MOST = 170
"""Uses of controls, from one page on; they lead to others."""


@dataclass
class Browser:
    """A page, and what it has drawn so far."""

    socket: ClientConnection
    page: str
    query: str
    controls: dict[str, list[WidgetState]] = field(default_factory=dict)
    """What a use of each control sends, by the control."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def run(self, *states: WidgetState) -> str:
        """Let the script run; return the errors that it shows."""
        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = self.query, self.page
        message.rerun_script.widget_states.widgets.extend(states)
        self.socket.send(message.SerializeToString())
        shown = ""
        for each in messages_until_end(self.socket):
            shown += each.delta.new_element.alert.body
            for name, *states in self._uses(each.delta.new_element):
                self.controls.setdefault(name, states)
        return shown

    def _uses(self, element: Element) -> Iterator[tuple[str, *tuple[WidgetState, ...]]]:
        kind = element.WhichOneof("type")
        if kind == "button":
            yield element.button.id, WidgetState(id=element.button.id, trigger_value=True)
        elif kind == "checkbox":
            yield element.checkbox.id, WidgetState(id=element.checkbox.id, bool_value=True)
        elif kind in ("text_input", "text_area"):
            box = getattr(element, kind)
            yield box.id, WidgetState(id=box.id, string_value="planted")
        elif kind == "chat_input":
            state = WidgetState(id=element.chat_input.id)
            state.chat_input_value.data = "planted"
            yield element.chat_input.id, state
        elif kind == "bidi_component":
            data = json.loads(element.bidi_component.json or "{}")
            if data.get("aria_label") == "Runs":  # a tick brings the actions
                rows = json.loads(data["rows"])[:1]
                ticked = {"event": "used", "value": [[row["target"] for row in rows], "tick", None]}
                state = WidgetState(id=_make_trigger_id(element.bidi_component.id, "events"))
                state.json_trigger_value = json.dumps([ticked])
                yield "tick a run", state
            for line in json.loads(data["bars"] if "heard" in data else "[]"):
                for item in line["items"]:
                    for each in (item, *item.get("items", [])):
                        if "key" in each and each["key"] not in SIGNS_OUT:
                            yield from self._bar_uses(element.bidi_component.id, each)

    def _bar_uses(self, bar: str, item: dict) -> Iterator[tuple[str, *tuple[WidgetState, ...]]]:
        values = [name for name, _ in item.get("options", [])][:3] or [None, True, "planted"]
        for value in values[: 3 if item.get("kind") != "button" else 1]:
            state = WidgetState(id=_make_trigger_id(bar, "events"))
            used = [[next(self.numbers), item["key"], value]]
            state.json_trigger_value = json.dumps([{"event": "used", "value": used}])
            yield f"{item['key']} {value}", state, WidgetState(id=bar, json_value="{}")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with serve(tmp_path_factory.mktemp("controls"), SCRIPT) as served:
        yield served


@pytest.mark.parametrize(
    "page", ["debug", *(pytest.param(name, marks=pytest.mark.campaign) for name in FURTHER_PAGES)]
)
def test_reader_changes_nothing_by_any_control(site, page):
    before = site.content()
    faults, shown, used = {}, {}, set()

    with open_socket(site.port, cookie=sign_in(site, Role.READ)) as socket:
        browser = Browser(socket, "" if page == "debug" else page, f"backend=embedded&run={site.run_id}")
        browser.run()
        while len(used) < MOST and (fresh := [name for name in browser.controls if name not in used]):
            name = fresh[0]
            used.add(name)
            shown[name] = browser.run(*browser.controls[name])
            after = site.content()
            changed = {table for table in after if after[table] != before[table]} - CHANGED_BY_LOOKING
            if changed:
                faults[name] = changed
            before = after

    assert faults == {}
    assert len(used) >= 60
    assert sum("Needs the role" in text for text in shown.values()) >= 5
