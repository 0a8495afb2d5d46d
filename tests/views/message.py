"""The box in which a person answers."""

from __future__ import annotations

import json

from streamlit.components.v2.bidi_component.main import _make_trigger_id


def send(app, text):
    """Say something to the run, as a person does, and let the page draw what comes of that."""
    tell(app, "sent", [text, box(app)["place"]])


def send_stepped(app, text, kind):
    """Press a step while a text is typed: the box sends both."""
    tell(app, "stepped", [text, box(app)["place"], kind])


def tell(app, event, value):
    """Let the browser tell what was done in the box, and let the page draw what comes of that."""
    states = app._tree.get_widget_states()
    sent = states.widgets.add()
    sent.id = _make_trigger_id(_element(app).proto.id, "events")
    sent.json_trigger_value = json.dumps([{"event": event, "value": value}])
    app._run(states)


def box(app):
    """Return the properties that the browser receives."""
    return json.loads(_element(app).proto.json)


def _element(app):
    return next(element for element in app.get("bidi_component") if element.key == "message")
