"""The controls of a page by their keys: Streamlit's own, with those that stand in a bar."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.testing.v1 import AppTest

_OWN = ("button", "button_group", "toggle", "text_input", "selectbox")
"""Kinds of controls that stand in bars, as Streamlit names its own."""
_NUMBERS: Iterator[int] = count(1)
"""Those of uses; they only grow."""


@dataclass(frozen=True)
class Part:
    """A control in a bar, with what its browser is told."""

    app: AppTest
    bar: Any
    item: dict[str, Any]

    @property
    def label(self):
        return self.item["label"]

    @property
    def help(self):
        return self.item.get("help", "")

    @property
    def disabled(self):
        return self.item.get("disabled", False)

    @property
    def value(self):
        return self.item["value"]

    @property
    def options(self):
        """Return the labels, like those of Streamlit's widgets."""
        return [words for _, words in self.item["options"]]

    def use(self, value=None):
        """Tell of it what a browser tells, and let the page draw what comes of that."""
        tell(self.app, self.bar, [[next(_NUMBERS), self.item["key"], value]])


def tell(app, bar, uses):
    """Let a browser tell what was used in a bar: the number of each use, the control's key and its value."""
    states = app._tree.get_widget_states()
    events = states.widgets.add()
    events.id = _make_trigger_id(bar.proto.id, "events")
    events.json_trigger_value = json.dumps([{"event": "used", "value": uses}])
    app._run(states)


def bars(app):
    """The elements by their keys."""
    return {element.key: element for element in app.get("bidi_component") if "bars" in _data(element)}


def lines_of(app):
    """Return the keys of all lines of toolbars."""
    return {line["key"] for _, _, line in _lines(app)}


def items(app, key):
    """Return the items of the toolbar with this key."""
    return next(line["items"] for name, _, line in _lines(app) if key in (name, line["key"]))


def control(app, key):
    """The one with this key.

    Raises:
        KeyError: There is none.
    """
    return _controls(app)[key]


def keys(app):
    """Those of all controls."""
    return set(_controls(app))


def use(app, key, value=None):
    """Press a button; choose, switch or write `value` elsewhere."""
    found, behind_more = control(app, key), f"{key}_{value}".replace(" ", "_")
    if isinstance(value, str) and behind_more in keys(app):
        control(app, behind_more).use()
    elif isinstance(found, Part):
        found.use(value)
    elif found.type == "button":
        found.click().run()
    else:
        found.set_value(value).run()


def words(app):
    """Return the texts of the toolbars."""
    return [item[name] for _, item in _all(app) for name in ("text", "detail") if item.get(name)]


def badges(app):
    """Return the texts of the toolbars' badges."""
    return [item["text"] for _, item in _all(app) if item["kind"] == "badge"]


def meters(app):
    """Return the progress bars with their texts."""
    return [(item["text"], item["share"]) for _, item in _all(app) if item["kind"] == "meter"]


def captions(app):
    """Return the captions and toolbar texts, without Markdown escapes."""
    return " ".join([*(caption.value.replace("\\", "") for caption in app.caption), *words(app)])


def _data(element):
    return json.loads(element.proto.json)


def _lines(app):
    """Each bar, with the key of its element and that itself."""
    drawn = bars(app).items()
    return [(key, element, line) for key, element in drawn for line in json.loads(_data(element)["bars"])]


def _all(app):
    return [(element, item) for _, element, line in _lines(app) for item in _with_menus(line["items"])]


def _with_menus(items):
    """Return items, each menu before what is in it."""
    return [each for item in items for each in (item, *item.get("items", []))]


def _controls(app):
    own = {element.key: element for kind in _OWN for element in app.get(kind) if element.key}
    return own | {item["key"]: Part(app, bar, item) for bar, item in _all(app) if "key" in item}
