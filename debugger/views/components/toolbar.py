"""A bar of words and controls, drawn as one element.

Streamlit draws each button as an element of its own and goes through all elements of a page whenever one of
them is used: with some sixty of them an answer takes the browser three times as long as with ten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.views import state
from debugger.views.auth.permissions import explain_denial
from debugger.views.components.factory import component

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]


_CALLBACKS = {"on_press", "args", "on_change", "on_move", "on_play", "on_pause"}
_ON_THE_SERVER = _CALLBACKS | {"names_keys", "counts", "closing_key", "names"}
"""Fields of parts that the browser has no use for."""


class _Part:
    """Part of a bar, of which the browser gets the fields."""

    KIND: ClassVar[str]
    """How the browser draws it, see toolbar.js."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws: the kind and all fields but those of the server alone."""
        props = {
            name: value
            for name, value in vars(self).items()
            if name not in _ON_THE_SERVER and (name, value) != ("key", "")
        }
        if "icon" in props:
            props["icon"] = props["icon"].removeprefix(":material/").removesuffix(":")
        return {"kind": self.KIND, **props}


@dataclass(frozen=True)
class Text(_Part):
    """A text; it is cut where there is no room for it."""

    KIND = "words"
    text: str
    look: Literal["quiet", "strong", "heading", "code", "note", "message", "two lines"] = "quiet"
    """A note and a message are not cut: a note takes lines of its own, a message is beside controls."""
    help: str = ""
    yields: bool = False
    """Whether it goes where the window is narrow."""
    key: str = ""
    """By which it is found on the page, if by any."""


@dataclass(frozen=True)
class Badge(_Part):
    """A coloured text."""

    KIND = "badge"
    text: str
    icon: str = ""
    colour: Colour = "gray"
    help: str = ""
    is_status: bool = False
    """Whether a screen reader reads it aloud when it appears or changes."""
    detail: str = ""
    """A quiet text beside it."""
    key: str = ""
    """By which it is found on the page, if by any."""


@dataclass(frozen=True)
class Progress(_Part):
    """Progress as text and share."""

    KIND = "meter"
    text: str
    share: float
    """From 0 to 1."""


@dataclass(frozen=True)
class Spacer(_Part):
    """Remaining space of the line; what follows is at its end."""

    KIND = "space"


@dataclass(frozen=True)
class Break(_Part):
    """End of a line; what follows is below."""

    KIND = "break"


@dataclass(frozen=True)
class Button(_Part):
    """A button."""

    KIND = "button"
    key: str
    label: str
    on_press: Callable[..., None]
    args: tuple[Any, ...] = ()
    icon: str = ""
    look: Literal["primary", "secondary", "tertiary"] = "secondary"
    disabled: bool = False
    help: str = ""
    shortcut: str | None = None
    shows: Literal["words", "whole words", "words, cut", "icon where narrow", "icon"] = "words"
    """Whether its words are cut, or give way to its icon; a screen reader reads them all the same. Whole
    words never give way, and words that do where the window is narrow do it whatever stands beside them."""
    names_keys: bool = True
    """Whether it names its shortcut."""
    message_step: str = ""
    """The step for which the message box, where it holds text, takes the press and sends the text."""
    awaits_message: bool = False
    """Whether a press gives the message box the keyboard at once: what is typed next is a message."""
    counts: bool = False
    """Whether each press has its effect of several that come before the page answers; else they are one."""
    is_current: bool = False
    """Whether it leads to the page on view."""
    of: str = ""
    """Tells it from others with its label; for screen readers."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        named = self.shortcut if self.shortcut and self.names_keys else ""
        keys = named.replace("+", " + ").replace("Escape", "Esc")
        return super().to_props() | _able(self.on_press, self.disabled, self.help) | {"keys": keys}

    def on_event(self, value: Any) -> None:
        """Call `on_press`, unless the button is disabled."""
        if not self.disabled:
            self.on_press(*self.args)


@dataclass(frozen=True)
class Link(_Part):
    """Link to a page of the app.

    A click follows it here; the browser can open it in another tab.
    """

    KIND = "link"
    key: str
    label: str
    href: str
    on_press: Callable[..., None]
    args: tuple[Any, ...] = ()
    icon: str = ""
    is_current: bool = False
    """Whether its page is on view."""

    def on_event(self, value: Any) -> None:
        """A person follows it."""
        self.on_press(*self.args)


class _Field(_Part):
    """Part with a value, which `state.widget` has."""

    key: str
    on_change: Callable[[], None] | None = None

    def accepts(self, value: Any) -> bool:
        """Return whether a value that the browser sends is one of the field."""
        raise NotImplementedError

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return super().to_props() | {"value": state.widget(self.key)}

    def on_event(self, value: Any) -> None:
        """Take a value that the user has entered into the session state, and call `on_change`.

        A value that the field does not accept is ignored.
        """
        if self.accepts(value):
            state.set_widget(self.key, value)
            if self.on_change is not None:
                self.on_change()


@dataclass(frozen=True)
class Toggle(_Field):
    """Switch that is on or off."""

    KIND = "toggle"
    key: str
    label: str
    help: str = ""
    disabled: bool = False
    on_change: Callable[[], None] | None = None

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = super().to_props() | _able(self.on_change, self.disabled, self.help)
        return props | {"value": bool(props["value"])}

    def accepts(self, value: Any) -> bool:
        """Return whether a value of the browser can be set: a bool, unless disabled."""
        return isinstance(value, bool) and not self.disabled


@dataclass(frozen=True)
class Disclosure(_Field):
    """Button that shows and hides content."""

    KIND = "disclosure"
    key: str
    label: str
    icon: str = ""
    look: Literal["secondary", "tertiary"] = "tertiary"
    help: str = ""
    disabled: bool = False
    closing_key: str | None = None
    """Closes it."""
    yields: bool = False
    """Whether its words give way to its icon where the window is narrow; a screen reader reads them."""

    @property
    def is_open(self) -> bool:
        """Return whether the content is to be drawn."""
        return bool(state.widget(self.key)) and not self.disabled

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        is_open = self.is_open
        return super().to_props() | {"value": is_open, "shortcut": self.closing_key if is_open else None}

    def accepts(self, value: Any) -> bool:
        """Return whether a value of the browser can be set: a bool, unless disabled."""
        return isinstance(value, bool) and not self.disabled


@dataclass(frozen=True)
class SegmentedControl(_Field):
    """Choice of one of several."""

    KIND = "switch"
    key: str
    label: str
    """For screen readers."""
    options: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)
    """What people read, where that is not the option itself."""
    wide: bool = False
    """Whether it takes a line of its own."""
    help: str = ""
    look: Literal["segments", "tabs"] = "segments"
    on_change: Callable[[], None] | None = None

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        options = [[option, self.names.get(option, option)] for option in self.options]
        return super().to_props() | {"options": options}

    def accepts(self, value: Any) -> bool:
        """Return whether it is one of the options."""
        return value in self.options


@dataclass(frozen=True)
class Select(_Field):
    """Choice in a list that opens."""

    KIND = "choice"
    key: str
    label: str
    options: Mapping[str, str]
    """What people read, by what is held."""
    placeholder: str
    """Text while nothing is selected."""
    on_change: Callable[[], None] | None = None
    disabled: bool = False
    help: str = ""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return super().to_props() | {"options": list(self.options.items())}

    def accepts(self, value: Any) -> bool:
        """Return whether it is one of the options."""
        return isinstance(value, str) and value in self.options and not self.disabled


@dataclass(frozen=True)
class DateInput(_Field):
    """Input of a day; its value is an ISO date, or empty."""

    KIND = "day"
    key: str
    label: str
    help: str = ""
    on_change: Callable[[], None] | None = None

    def accepts(self, value: Any) -> bool:
        """Return whether it is a day, or nothing."""
        return isinstance(value, str) and re.fullmatch(r"(\d{4}-\d{2}-\d{2})?", value) is not None


@dataclass(frozen=True)
class TextInput(_Field):
    """Text input."""

    KIND = "field"
    key: str
    label: str
    """For screen readers."""
    placeholder: str
    icon: str
    shortcut: str | None = None
    """Leads to it."""
    grows: bool = False
    """Whether it takes what is left over of the line."""
    is_live: bool = False
    """Whether it sends what is typed while a person types."""
    on_change: Callable[[], None] | None = None
    help: str = ""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return super().to_props() | {"value": state.widget(self.key) or ""}

    def accepts(self, value: Any) -> bool:
        """Return whether it is a text."""
        return isinstance(value, str)


@dataclass(frozen=True)
class Copy(_Part):
    """Button that copies a text; no script runs for it."""

    KIND = "copy"
    key: str
    label: str
    text: str


@dataclass(frozen=True)
class FullScreen(_Part):
    """Button that shows the page on the whole screen, and leaves it again."""

    KIND = "full screen"
    key: str
    shortcut: str | None = None


MenuItem = Text | Button | Toggle | Copy


@dataclass(frozen=True)
class Menu(_Part):
    """Button that opens a list of controls.

    It also takes what its line has no room for, see `Line.overflow`.
    """

    KIND = "menu"
    key: str
    label: str
    items: Sequence[MenuItem]
    """What is in it, from top to bottom; a text is the heading of what follows."""
    icon: str = ""
    shows: Literal["words", "icon"] = "words"
    look: Literal["secondary", "tertiary"] = "secondary"
    help: str = ""
    of: str = ""
    """Tells it from others with its label; for screen readers."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return super().to_props() | {"items": [item.to_props() for item in self.items]}


@dataclass(frozen=True)
class Scrubber(_Part):
    """Slider over the events of a run, and a button that plays them."""

    KIND = "scrubber"
    key: str
    label: str
    """For screen readers."""
    value: int
    last: int
    """The last place; the first is 0."""
    words: str
    """The place in words, for screen readers."""
    marks: Sequence[int]
    """The places that are marked."""
    on_move: Callable[[int], None]
    on_play: Callable[[], None]
    """One step of a play."""
    on_pause: Callable[[], None]
    hold_ms: int = 1000
    """How long a play at normal speed stays at the place."""
    shortcut: str | None = None
    """Plays, or pauses the play."""
    help: str = ""
    """Why it cannot be moved."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        return super().to_props() | {"disabled": bool(self.help)}

    def on_event(self, value: Any) -> None:
        """Move, play or pause as the browser says.

        Does nothing while it cannot be moved, and for a place that it does not have.
        """
        if self.help:
            return
        if value == "play":
            self.on_play()
        elif value == "pause":
            self.on_pause()
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= self.last:
            self.on_move(value)


Control = Button | Link | Toggle | Disclosure | SegmentedControl | Select | DateInput | TextInput | Scrubber
Item = Text | Badge | Progress | Spacer | Break | Copy | FullScreen | Menu | Control


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
    """Keys of items that give way in a line that never breaks, the first one first: labels of buttons with an
    icon go, then items go into the last menu, or away where there is none. ``None`` where the line breaks
    instead."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        items = [item.to_props() for item in self.items]
        overflow = None if self.overflow is None else list(self.overflow)
        return {"key": self.key, "low": self.low, "items": items, "overflow": overflow}

    @property
    def controls(self) -> Iterator[Control]:
        """Yield its controls, those in menus in the place of the menu."""
        for item in self.items:
            for each in item.items if isinstance(item, Menu) else (item,):
                if isinstance(each, Control):
                    yield each


_BARS = component(
    "control_bar",
    __package__,
    "toolbar",
    ("toolbar.js", "scrubber.js"),
    page_scripts=("focus.js", "dialogs.js", "colour_scheme.js"),
)


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
        data={
            "bars": encode([line.to_props() for line in lines]).decode(),
            "heard": state.widget(f"{key}_heard", 0),
        },
        on_used_change=lambda: _use(key, controls),
    )


def _use(key: str, controls: Mapping[str, Control]) -> None:
    """Hand controls their uses that the server has not seen yet.

    Of each the last counts: what was typed, chosen or pressed before has been overtaken. A browser tells
    each use several times with the same number: of two messages that come while a script is at work,
    Streamlit hands on the second alone.
    """
    props, last = state.sent_by_browser(key, "used"), state.widget(f"{key}_heard", 0)
    uses = [
        use
        for use in (props if isinstance(props, list) else [])
        if isinstance(use, list) and [type(each) for each in use[:2]] == [int, str] and len(use) == 3
    ]
    fresh = [use for use in uses if use[0] > last]
    latest = {name: number for number, name, _ in fresh}
    state.set_widget(f"{key}_heard", max([last, *(number for number, _, _ in uses)]))
    rerun: BaseException | None = None
    for number, name, value in fresh:
        control = controls.get(name)
        counts = isinstance(control, Button) and control.counts
        if control is not None and (number == latest[name] or counts):
            try:
                control.on_event(value)
            except Exception:
                raise
            except BaseException as asked:  # a rerun, as `st.rerun` raises it: no other use is lost by it
                rerun = asked
    if rerun is not None:
        raise rerun


def _able(do: Callable[..., None] | None, disabled: bool, help: str) -> JsonObject:
    reason = explain_denial(do)
    return {"disabled": disabled or bool(reason), "help": reason or help}
