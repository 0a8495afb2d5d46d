from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.mocks.pins_and_faults import Pin, Target
from debugger.settings import Settings
from debugger.views.run_state import CurrentRun, Cursor
from tests.support.factories import direct, document, node, say, static
from tests.views.bars import captions, control, items, use
from tests.views.message import send
from tests.views.talk import words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


@pytest.fixture
def backend(tmp_path):
    """An engine that simulates messages to people."""
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    backend = EmbeddedBackend(Settings(database=database, responder="rules", outbound_contact="simulated"))
    yield backend
    backend.close()


@pytest.fixture
def demo(app, backend, press, settle):
    """A run of two turns in the demo view."""
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"
    app.run()
    press("start")
    send(app, "green tea")
    settle()


def hold_seconds(app):
    return control(app, "scrubber").item["hold_ms"] / 1000


def test_play_stops_at_messages_and_transitions(app, record, demo):
    said = []

    while True:
        control(app, "scrubber").use("play")
        if record(Cursor).event is None:
            break
        said.append(words(app))

    assert said[0] == ["Hello"]
    assert ["Hello", "green tea"] in said
    assert len(said) == 5, "three messages, and a transition in each turn"


def test_later_messages_are_hidden_from_audience(app, record, demo):
    control(app, "scrubber").use("play")

    assert words(app) == ["Hello"]
    use(app, "back_to_live")
    assert len(words(app)) == 3


def test_moment_names_last_transition_with_reason(app, backend, press):
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"
    app.run()
    press("start")
    live = captions(app)
    control(app, "scrubber").use("play")
    control(app, "scrubber").use("play")

    assert "Chat waits for the user's message. Last step: A → Chat. This always comes next." in live
    assert "A → Chat. This always comes next." in captions(app)
    assert "Last step" not in captions(app)


def test_long_message_is_held_longer(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), static("b", "word " * 15), direct("a", "b")))
    app.query_params["skin"] = "demo"
    app.run()
    press("start")
    held = {}

    for _ in range(3):
        control(app, "scrubber").use("play")
        held.setdefault(len(words(app)), hold_seconds(app))

    assert held[1] == pytest.approx(1.6 + 0.28)
    assert held[2] == pytest.approx(1.6 + 15 * 0.28)


def test_engineer_view_holds_each_event_one_second(app, demo):
    use(app, "skin")

    assert hold_seconds(app) == 1.0


def badge(app):
    """Return the help of the badge that something was simulated; empty without one."""
    return next((item["help"] for item in items(app, "run_bar") if item.get("text") == "simulated"), "")


def test_badge_names_nodes_whose_model_was_simulated(app, demo):
    shown = badge(app)
    use(app, "skin")

    assert shown == "Simulated in this run: model answers (Chat)"
    assert badge(app) == ""


def test_badge_names_mocked_node_and_simulated_call(app, backend, record, press):
    sms = node("text", "send_sms", destination_phone_number="+15550100", message="Hi")
    backend.create_workflow(document(static("a", "Hello"), sms, direct("a", "text")))
    app.query_params["skin"] = "demo"
    app.run()
    before = badge(app)
    record(CurrentRun).session.mocks.put(Pin(Target("node", "a"), {"says": ["Hi"]}))
    press("start")

    assert before == ""
    assert badge(app) == "Simulated in this run: external calls (Text); mocked results (A)"


def test_label_of_stand_in_is_hidden_from_audience(app, demo):
    shown = words(app)[-1]
    use(app, "skin")

    assert shown.startswith('I heard: "green tea"')
    assert words(app)[-1] == f"[stand-in for Chat] {shown}"
