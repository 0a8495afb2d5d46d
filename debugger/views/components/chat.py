"""Chat messages in a box that scrolls, drawn as one element."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass

from debugger.analysis.chat import ChatMessage, group_warnings
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.views import state
from debugger.views.components.factory import component
from debugger.views.components.markdown import count


@dataclass(frozen=True)
class Line:
    """A quiet line that is not part of what was said."""

    text: str
    icon: str = ""
    """The name of a Material Symbol."""


@dataclass(frozen=True)
class ShowEarlier:
    """The switch for what was said earlier, above what is shown."""

    label: str
    is_shown: bool
    """Whether that is among what is shown."""
    on_change: Callable[[bool], None]


_BOX = component("chat_messages", __package__, "chat", ("elements.js", "chat.js"))


def chat_box(
    key: str,
    said: Sequence[ChatMessage],
    *,
    height: int,
    earlier: ShowEarlier | None = None,
    under_way: Line | None = None,
    empty: Line | None = None,
    mark: tuple[int, str] | None = None,
    page: Hashable = None,
    later: Sequence[bool] | None = None,
    names_turns: bool = True,
    on_choose: Callable[[int], None] | None = None,
) -> None:
    """Draw the messages.

    Args:
        key: The widget's.
        said: The messages in order.
        height: In pixels, where style.css has no other.
        earlier: The switch above the messages, if not all are always shown.
        under_way: What happens just now, reported below the messages.
        empty: What is in the middle of the box, as where nothing was said.
        mark: The number of a turn whose outcome is not known, and the remark at its user's message.
        page: While it is equal, the box stays where a person has scrolled to; another one begins at its end.
        later: For each message whether it came after the time cursor and is dimmed; ``None`` is live.
        names_turns: Whether the turn of a reply is beside the node that made it.
        on_choose: Takes the event of the message that a person chooses; without it none can be chosen.
    """
    groups = group_warnings(said)
    data: JsonObject = {
        # As one text: Streamlit would look through all that it holds for tables.
        "said": encode(
            [_to_browser(group, mark, names_turns, on_choose is not None) for group in groups]
        ).decode(),
        "earlier": {"label": earlier.label, "is_shown": earlier.is_shown} if earlier else None,
        "under_way": asdict(under_way) if under_way else None,
        "empty": asdict(empty) if empty else None,
        "page": str(page),
        "cursor": None if later is None else _cursor_props(groups, said, later),
    }

    def switch() -> None:
        shown = state.sent_by_browser(key, "shown")
        if earlier is not None and shown in ("all", "latest"):
            earlier.on_change(shown == "all")

    def choose() -> None:
        event = state.sent_by_browser(key, "chosen")
        if on_choose is not None and isinstance(event, int) and not isinstance(event, bool):
            on_choose(event)

    _BOX(key=key, height=height, data=data, on_shown_change=switch, on_chosen_change=choose)


def _cursor_props(
    groups: Sequence[Sequence[ChatMessage]], said: Sequence[ChatMessage], later: Sequence[bool]
) -> JsonObject:
    """Return the place of the group at the cursor, -1 without one, and the places of the groups after it.

    The group at the cursor is that of the last user's or agent's message. Raises `ValueError` unless there is
    a flag for each message.
    """
    until = [message for message, is_later in zip(said, later, strict=True) if not is_later]
    here = next((message for message in reversed(until) if message.role in ("user", "agent")), None)
    known = set(map(id, until))
    return {
        "here": next((at for at, group in enumerate(groups) if group[0] is here), -1),
        "later": [at for at, group in enumerate(groups) if id(group[0]) not in known],
    }


def _to_browser(
    group: Sequence[ChatMessage], mark: tuple[int, str] | None, names_turns: bool, can_choose: bool
) -> JsonObject:
    """Return a group of messages as the browser draws it; several are folded under their number.

    The user's message of the marked turn has the remark and cannot be chosen.
    """
    first = group[0]
    if len(group) > 1:
        props = {"label": count(len(group), first.role), "texts": [message.text for message in group]}
        return {"kind": "folded", "first": first.event_index, **props}
    if mark is not None and first.role == "user" and first.turn_number == mark[0]:
        return {"kind": "user", "text": first.text, "caption": mark[1], "is_uncertain": True}
    speaker = ""
    if first.role == "agent" and first.node_name:
        background = ", background" if first.is_background else ""
        turn = f" · turn {first.turn_number}{background}" if names_turns else ""
        speaker = f"{first.node_name}{turn}"
    event = {"event": first.event_index} if can_choose and first.event_index is not None else {}
    kind = "error" if first.role == "failure" else first.role
    return {"kind": kind, "text": first.text, "caption": speaker, **event}
