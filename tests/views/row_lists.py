"""The properties of the row lists."""

from __future__ import annotations

import json


def lists(app):
    """All of them by what they tell a screen reader."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    found = [data for data in given if "columns" in data]
    return {data["aria_label"]: {**data, "rows": json.loads(data["rows"])} for data in found}


def drawn(app, label="Timeline"):
    """The one whose description begins so."""
    return next(data for description, data in lists(app).items() if description.startswith(label))


def rows(app, label="Timeline"):
    """Its rows by their columns' names; of a chip or a bar the text."""
    names = [column["name"] for column in drawn(app, label)["columns"]]
    return [
        dict(zip(names, [cell[0] if isinstance(cell, list) else cell for cell in row["cells"]], strict=True))
        for row in drawn(app, label)["rows"]
    ]


def column(app, name, label="Timeline"):
    """Return the values of one column."""
    return [row[name] for row in rows(app, label)]


def variables(app, scope, what="value"):
    """Return a column of the Variables tab by variable."""
    return {row["name"]: row[what] for row in rows(app, f"{scope} variables")}
