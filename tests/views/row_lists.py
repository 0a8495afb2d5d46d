"""The properties of the row lists."""

from __future__ import annotations

import json

from streamlit.components.v2.bidi_component.main import _make_trigger_id


def lists(app):
    """All of them by what they tell a screen reader."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    found = [data for data in given if "columns" in data]
    return {data["aria_label"]: {**data, "rows": json.loads(data["rows"])} for data in found}


def drawn(app, label="Timeline"):
    """The one whose description begins so."""
    return next(data for description, data in lists(app).items() if description.startswith(label))


def rows(app, label="Timeline"):
    """Its rows by their columns' names; of a chip or a bar the text, of chips their texts."""
    names = [column["name"] for column in drawn(app, label)["columns"]]
    return [dict(zip(names, map(words, row["cells"]), strict=True)) for row in drawn(app, label)["rows"]]


def words(cell):
    """Return the text of a cell, or those of its chips."""
    if not isinstance(cell, list):
        return cell
    return cell[0] if cell and isinstance(cell[0], str) else [text for text, _ in cell]


def column(app, name, label="Timeline"):
    """Return the values of one column."""
    return [row[name] for row in rows(app, label)]


def variables(app, scope, what="value"):
    """Return a column of a scope of the Variables tab by variable."""
    shown = drawn(app, "Variables")
    at = [column["name"] for column in shown["columns"]].index(what)
    found, title = {}, shown["columns"][0]["label"]
    for row in shown["rows"]:
        if row["is_heading"]:
            title = row["cells"][0]
        elif title == scope:
            found[row["cells"][0]] = row["cells"][at]
    return found


def choose(app, target, label="Timeline"):
    """Choose the row with a target as a browser does."""
    send(app, label, "chosen", target)


def use(app, target, column, value=None, label="Timeline"):
    """Use the control in a row as a browser does."""
    send(app, label, "used", [target, column, value])


def send(app, label, event, value):
    """Send an event of the table with a label."""
    element = next(
        element
        for element in app.get("bidi_component")
        if json.loads(element.proto.json).get("aria_label", "").startswith(label)
    )
    states = app._tree.get_widget_states()
    sent = states.widgets.add()
    sent.id = _make_trigger_id(element.proto.id, "events")
    sent.json_trigger_value = json.dumps([{"event": event, "value": value}])
    app._run(states)
    assert not app.exception
