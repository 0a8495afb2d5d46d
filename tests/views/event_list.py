"""What the list of events is given to draw."""

from __future__ import annotations

import json


def drawn(app):
    """What the list of events is given."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return next(data for data in given if "columns" in data)


def rows(app):
    """Its rows by their columns' names; of a chip or a bar the text."""
    names = [column["name"] for column in drawn(app)["columns"]]
    return [
        dict(zip(names, [cell[0] if isinstance(cell, list) else cell for cell in row["cells"]], strict=True))
        for row in drawn(app)["rows"]
    ]


def column(app, name):
    return [row[name] for row in rows(app)]
