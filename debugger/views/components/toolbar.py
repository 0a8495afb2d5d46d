"""A bar of words and controls, drawn as one element.

Streamlit draws each button as an element of its own and goes through all elements of a page whenever one of
them is used: with some sixty of them an answer takes the browser three times as long as with ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.views import state
from debugger.views.auth.permissions import denied
from debugger.views.components.factory import component
from debugger.views.components.scrubber import Scrubber

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]


@dataclass(frozen=True)
class Text:
    """A text; it is cut where there is no room for it."""

    text: str
    look: Literal["quiet", "strong", "heading", "code", "note", "message", "two lines"] = "quiet"
    """A note and a message are not cut: a note takes lines of its own, a message is beside controls."""
    help: str = ""
    yields: bool = False
    """Whether it goes where the window is narrow."""
    key: str = ""
    """By which it is found on the page, if by any."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"text": self.text, "look": self.look, "help": self.help, "yields": self.yields}
        return {"kind": "words", **props} | ({"key": self.key} if self.key else {})


@dataclass(frozen=True)
class Badge:
    """A coloured text."""

    text: str
    icon: str = ""
    colour: Colour = "gray"
    help: str = ""
    is_status: bool = False
    """Whether a screen reader reads it aloud when it appears or changes."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"text": self.text, "icon": _symbol(self.icon), "colour": self.colour, "help": self.help}
        return {"kind": "badge", **props, "is_status": self.is_status}


@dataclass(frozen=True)
class Progress:
    """Progress as text and share."""

    text: str
    share: float
    """From 0 to 1."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return {"kind": "meter", "text": self.text, "share": self.share}


@dataclass(frozen=True)
class Spacer:
    """Remaining space of the line; what follows is at its end."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return {"kind": "space"}


@dataclass(frozen=True)
class Break:
    """End of a line; what follows is below."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return {"kind": "break"}


@dataclass(frozen=True)
class Button:
    """A button."""

    key: str
    label: str
    on_press: Callable[..., None]
    args: tuple[Any, ...] = ()
    icon: str = ""
    look: Literal["primary", "secondary", "tertiary"] = "secondary"
    disabled: bool = False
    help: str = ""
    shortcut: str | None = None
    shows: Literal["words", "words, cut", "icon where narrow", "icon"] = "words"
    """Whether its words are cut, or give way to its icon; a screen reader reads them all the same."""
    names_keys: bool = True
    """Whether it names its shortcut."""
    message_step: str = ""
    """The step for which the message box, where it holds text, takes the press and sends the text."""
    counts: bool = False
    """Whether each press has its effect of several that come before the page answers; else they are one."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        keys = self.shortcut.replace("+", " + ") if self.shortcut and self.names_keys else ""
        keys = keys.replace("Escape", "Esc")
        props = {"label": self.label, "icon": _symbol(self.icon), "look": self.look, "shows": self.shows}
        props["message_step"] = self.message_step
        reason = denied(self.on_press)
        able = {"disabled": self.disabled or bool(reason), "help": reason or self.help}
        return {"kind": "button", "key": self.key, **props, **able, "shortcut": self.shortcut, "keys": keys}

    def on_event(self, value: Any) -> None:
        """A person has pressed it."""
        if not self.disabled:
            self.on_press(*self.args)


@dataclass(frozen=True)
class Link:
    """Link to a page of the app.

    A click follows it here; the browser can open it in another tab.
    """

    key: str
    label: str
    href: str
    on_press: Callable[..., None]
    args: tuple[Any, ...] = ()
    icon: str = ""
    is_current: bool = False
    """Whether its page is on view."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"label": self.label, "icon": _symbol(self.icon), "href": self.href}
        return {"kind": "link", "key": self.key, "current": self.is_current, **props}

    def on_event(self, value: Any) -> None:
        """A person follows it."""
        self.on_press(*self.args)


@dataclass(frozen=True)
class Toggle:
    """Switch that is on or off; `state.widget` has its value."""

    key: str
    label: str
    help: str = ""
    disabled: bool = False
    on_change: Callable[[], None] | None = None

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        reason = denied(self.on_change)
        able = {"disabled": self.disabled or bool(reason), "help": reason or self.help}
        return {
            "kind": "toggle",
            "key": self.key,
            "label": self.label,
            "value": bool(state.widget(self.key)),
            **able,
        }

    def on_event(self, value: Any) -> None:
        """A person has switched it."""
        if not self.disabled:
            _hold(self.key, value is True, self.on_change)


@dataclass(frozen=True)
class Disclosure:
    """Button that shows and hides content; `state.widget` has its value."""

    key: str
    label: str
    icon: str = ""
    look: Literal["secondary", "tertiary"] = "tertiary"
    help: str = ""
    disabled: bool = False
    closing_key: str | None = None
    """Closes it."""

    @property
    def is_open(self) -> bool:
        """Return whether the content is to be drawn."""
        return bool(state.widget(self.key)) and not self.disabled

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"label": self.label, "icon": _symbol(self.icon), "look": self.look, "help": self.help}
        shortcut = self.closing_key if self.is_open else None
        more = {"value": self.is_open, "disabled": self.disabled, "shortcut": shortcut}
        return {"kind": "disclosure", "key": self.key, **props, **more}

    def on_event(self, value: Any) -> None:
        """A person has opened or closed it."""
        if not self.disabled:
            _hold(self.key, value is True, None)


@dataclass(frozen=True)
class SegmentedControl:
    """Choice of one of several; `state.widget` has its value."""

    key: str
    label: str
    """For screen readers."""
    options: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)
    """What people read, where that is not the option itself."""
    wide: bool = False
    """Whether it takes a line of its own."""
    help: str = ""
    on_change: Callable[[], None] | None = None

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        options = [[option, self.names.get(option, option)] for option in self.options]
        props = {"label": self.label, "options": options, "value": state.widget(self.key)}
        return {"kind": "switch", "key": self.key, "wide": self.wide, "help": self.help, **props}

    def on_event(self, value: Any) -> None:
        """A person has chosen another one."""
        if value in self.options:
            _hold(self.key, value, self.on_change)


@dataclass(frozen=True)
class Select:
    """Choice in a list that opens; `state.widget` has its value."""

    key: str
    label: str
    options: Mapping[str, str]
    """What people read, by what is held."""
    placeholder: str
    """Text while nothing is selected."""
    on_change: Callable[[], None] | None = None

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"label": self.label, "options": list(self.options.items()), "placeholder": self.placeholder}
        return {"kind": "choice", "key": self.key, "value": state.widget(self.key), **props}

    def on_event(self, value: Any) -> None:
        """A person has chosen another one."""
        if isinstance(value, str) and value in self.options:
            _hold(self.key, value, self.on_change)


@dataclass(frozen=True)
class TextInput:
    """Text input; `state.widget` has its value."""

    key: str
    label: str
    """For screen readers."""
    placeholder: str
    icon: str
    shortcut: str | None = None
    """Leads to it."""
    grows: bool = False
    """Whether it takes what is left over of the line."""
    on_change: Callable[[], None] | None = None

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"label": self.label, "placeholder": self.placeholder, "icon": _symbol(self.icon)}
        more = {"value": state.widget(self.key) or "", "shortcut": self.shortcut, "grows": self.grows}
        return {"kind": "field", "key": self.key, **props, **more}

    def on_event(self, value: Any) -> None:
        """A person has typed something."""
        if isinstance(value, str):
            _hold(self.key, value, self.on_change)


@dataclass(frozen=True)
class FullScreen:
    """Button that shows the page on the whole screen, and leaves it again."""

    key: str

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return {"kind": "full screen", "key": self.key}


@dataclass(frozen=True)
class Menu:
    """Button that opens a list of controls.

    It also takes what its line has no room for, see `Line.overflow`.
    """

    key: str
    label: str
    items: Sequence[Text | Button | Toggle]
    """What is in it, from top to bottom; a text is the heading of what follows."""
    icon: str = ""
    shows: Literal["words", "icon"] = "words"
    help: str = ""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"label": self.label, "icon": _symbol(self.icon), "shows": self.shows, "help": self.help}
        return {"kind": "menu", "key": self.key, **props, "items": [item.to_props() for item in self.items]}


Control = Button | Link | Toggle | Disclosure | SegmentedControl | Select | TextInput | Scrubber
Item = Text | Badge | Progress | Spacer | Break | FullScreen | Menu | Control


@dataclass(frozen=True)
class Line:
    """One of several bars that stand one below the other."""

    key: str
    """By which it is found on the page, if by any."""
    items: Sequence[Item]
    """What is in it, from left to right."""
    low: bool = False
    """Whether its controls are low, and name no shortcuts in a narrow window."""
    overflow: Sequence[str] | None = None
    """Keys of items that give way in a line that never breaks, the first one first: shortcuts go, then labels
    of buttons with an icon, then items go into the last menu, or away where there is none. ``None`` where
    the line breaks instead."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        items = [item.to_props() for item in self.items]
        overflow = None if self.overflow is None else list(self.overflow)
        return {"key": self.key, "low": self.low, "items": items, "overflow": overflow}

    @property
    def controls(self) -> Iterator[Control]:
        """Return its controls, with those in menus."""
        for item in self.items:
            for each in item.items if isinstance(item, Menu) else (item,):
                if isinstance(each, Control):
                    yield each


_BARS = component("control_bar", __package__, "toolbar", ("toolbar.js", "scrubber.js"))


def bar(
    key: str, items: Sequence[Item], *, low: bool = False, width: Literal["stretch", "content"] = "stretch"
) -> None:
    """Draw a bar.

    Args:
        key: The widget's.
        items: What is in it. Two controls of a page never have the same key.
        low: Whether its controls are low.
        width: Whether it takes what the line has left, or what it needs.
    """
    bars(key, [Line("", items, low)], width=width)


def bars(key: str, lines: Sequence[Line], *, width: Literal["stretch", "content"] = "stretch") -> None:
    """Draw bars one below the other, as one element.

    Args:
        key: The widget's.
        lines: The bars from top to bottom.
        width: Whether they take what the line has left, or what they need.
    """
    controls = {control.key: control for line in lines for control in line.controls}
    _BARS(
        key=key,
        width=width,
        # As one text: Streamlit would look through all that it holds for tables.
        data={"bars": encode([line.to_props() for line in lines]).decode()},
        on_used_change=lambda: _use(key, controls),
    )


def _use(key: str, controls: Mapping[str, Control]) -> None:
    """Let controls know of what was done to them that the server has not heard of.

    Of each the last counts: what was typed, chosen or pressed before has been overtaken. A browser tells
    each use several times with the same number: of two messages that come while a script is at work,
    Streamlit hands on the second alone.
    """
    held = state.widget(key)
    props, last = held.get("used") if held else None, state.widget(f"{key}_heard", 0)
    uses = [use for use in props if _is_use(use)] if isinstance(props, list) else []
    fresh = [use for use in uses if use[0] > last]
    latest = {name: number for number, name, _ in fresh}
    state.set_widget(f"{key}_heard", max([last, *(number for number, _, _ in uses)]))
    rerun: BaseException | None = None
    for number, name, value in fresh:
        control = controls.get(name)
        if control is not None and (number == latest[name] or _counts(control)):
            try:
                control.on_event(value)
            except Exception:
                raise
            except BaseException as asked:  # a rerun, as `st.rerun` raises it: no other use is lost by it
                rerun = asked
    if rerun is not None:
        raise rerun


def _counts(control: Control) -> bool:
    return isinstance(control, Button) and control.counts


def _is_use(props: Any) -> bool:
    return isinstance(props, list) and [type(each) for each in props[:2]] == [int, str] and len(props) == 3


def _hold(key: str, value: Any, then: Callable[[], None] | None) -> None:
    state.set_widget(key, value)
    if then is not None:
        then()


def _symbol(icon: str) -> str:
    return icon.removeprefix(":material/").removesuffix(":")
