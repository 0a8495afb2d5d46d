"""The conversation on view, as properties of its component."""

from __future__ import annotations

import json

from streamlit.components.v2.bidi_component.main import _make_trigger_id


def words(app) -> list[str]:
    """Return the text of each message, in order."""
    return [item["text"] for item in said(app) if item["kind"] in ("agent", "user")]


def speakers(app) -> list[str]:
    """Return speaker and time below each message of the agent."""
    return [item["caption"] for item in said(app) if item["kind"] == "agent" and item["caption"]]


def notes(app) -> list[str]:
    """Return the warnings and errors between the messages; only the heads of folded ones."""
    return [item.get("label") or item["text"] for item in said(app) if item["kind"] not in ("agent", "user")]


def said(app):
    """All that stands between the first and the last message."""
    return box(app)["said"]


def box(app):
    """Return the properties of the conversation component.

    Raises:
        StopIteration: There is none on view.
    """
    data = json.loads(_element(app).proto.json)
    return {**data, "said": json.loads(data["said"])}


def show_earlier(app, is_shown=True):
    """Switch to all that was said, or back to the end of it."""
    tell(app, "shown", "all" if is_shown else "latest")


def tell(app, event, value):
    """Let a browser tell what was done in the box, and let the page draw what comes of that."""
    states = app._tree.get_widget_states()
    events = states.widgets.add()
    events.id = _make_trigger_id(_element(app).proto.id, "events")
    events.json_trigger_value = json.dumps([{"event": event, "value": value}])
    app._run(states)


def _element(app):
    return next(each for each in app.get("bidi_component") if '"said"' in each.proto.json)
