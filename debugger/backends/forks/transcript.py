"""The restored conversation and its edits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from debugger.backends.forks.request import MessageAppend, RerunEdits
from debugger.engine.environment import Environment
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    AssistantResponseEvent,
    Event,
    UserMessagesEvent,
    WorkflowNavigationMessageEvent,
)
from debugger.protocol.json_codec import encode
from debugger.protocol.messages import Message, human_message, message_kind, message_text
from debugger.protocol.runs import MAIN_THREAD, Turn
from debugger.store import WrittenPair

_CLOSING = "end_workflow_iteration"
_MEMO = WorkflowNavigationMessageEvent.declared_fields["type"].default

_DEEPEST = 60
"""Levels down to which messages are looked for; variables may be nested much more deeply."""

Sender = Literal["user", "assistant"]


@dataclass(frozen=True)
class Line:
    """One line of the conversation."""

    thread_id: str
    index: int
    """Its place in its thread, from 0."""
    sender: Sender
    text: str
    key: str
    """The id of what says it in the record."""
    reason: str | None = None
    """Why it cannot be edited; ``None`` where it can."""


def lines_of(pairs: Sequence[Turn]) -> list[Line]:
    """Return the lines of recorded pairs, thread by thread, in order.

    Navigation memos are no lines: only the model sees them.
    """
    found: list[Line] = []
    counts: dict[str, int] = {}
    for pair in pairs:
        for event in pair.parsed_events():
            thread_id = event.origin_thread_id or MAIN_THREAD
            for sender, text, key, reason in _spoken(event):
                index = counts.get(thread_id, 0)
                counts[thread_id] = index + 1
                if thread_id != MAIN_THREAD:
                    reason = "Only the main thread continues from here."
                found.append(Line(thread_id, index, sender, text, key, reason))
    return found


def edited_lines(lines: Sequence[Line], edits: RerunEdits) -> list[Line]:
    """Return the lines after the edits; remaining lines keep their index, and added ones come last.

    Raises:
        InputError: An edit is of a line that is not there, or that cannot be edited.
    """
    texts = _texts(lines, edits)
    remaining = [
        Line(line.thread_id, line.index, line.sender, texts.get(line.key) or line.text, line.key, line.reason)
        for line in lines
        if texts.get(line.key, "") is not None
    ]
    next_index = sum(line.thread_id == MAIN_THREAD for line in lines)
    reason = "It is added by an edit; send the edits again to change it."
    added = [
        Line(MAIN_THREAD, next_index + place, one.role, one.text, "", reason)
        for place, one in enumerate(edits.message_appends)
    ]
    return [*remaining, *added]


def edited_pairs(
    pairs: Sequence[Turn], lines: Sequence[Line], edits: RerunEdits, world: Environment, *, keeps_memos: bool
) -> dict[int, WrittenPair]:
    """Return the pairs that the edits may change, rewritten, by their number, from 1.

    Added lines are at the end of the last pair, or in a new one where there is none.

    Args:
        pairs: The restored ones.
        lines: What is said in them.
        edits: What is edited.
        world: Gives added lines their ids and their time.
        keeps_memos: Keep navigation memos.

    Raises:
        InputError: An edit is of a line that is not there, or that cannot be edited.
    """
    texts = _texts(lines, edits)
    added = [_said(line, world) for line in edits.message_appends]
    found: dict[int, WrittenPair] = {}
    for number, pair in enumerate(pairs, 1):
        wire = pair.to_wire()
        is_last = number == len(pairs)
        if texts or not keeps_memos or (is_last and added):
            # By the old text: messages of the user have no id in an input. Another turn may have the same.
            said = (line for line in lines_of([pair]) if line.sender == "user" and line.key in texts)
            of_users = {line.text: texts[line.key] for line in said}
            rewriter = _Rewriter(texts, of_users, keeps_memos=keeps_memos)
            found[number] = _written(rewriter.rewritten(wire), added if is_last else [])
    if added and not pairs:
        found[1] = _written(Turn(run_input={"command": "start"}).to_wire(), added)
    return found


def edited_messages(messages: Sequence[Message], lines: Sequence[Line], edits: RerunEdits) -> list[Message]:
    """Return unanswered messages as edited, without those that are no lines.

    Raises:
        InputError: An edit is of a line that is not there, or that cannot be edited.
    """
    known = {line.key for line in lines}
    rewriter = _Rewriter(_texts(lines, edits), {}, keeps_memos=True)
    return list(rewriter.rewritten([message for message in messages if str(message.get("id")) in known]))


def _spoken(event: Event) -> Iterator[tuple[Sender, str, str, str | None]]:
    """Yield sender, text, key and, where it cannot be edited, the reason of each message in an event.

    Events that say nothing yield nothing.
    """
    if isinstance(event, UserMessagesEvent):
        for message in event.messages:
            is_text = isinstance(message.get("content"), str)
            sender: Sender = "user" if message_kind(message) in ("human", None) else "assistant"
            key = str(message.get("id") or "")
            yield sender, message_text(message), key, None if is_text and key else "It is more than a text."
    elif isinstance(event, AssistantResponseEvent):
        is_text = isinstance(event.content, str)
        yield "assistant", event.words, event.logical_id, None if is_text else "It is more than a text."


def _texts(lines: Sequence[Line], edits: RerunEdits) -> dict[str, str | None]:
    """Return new texts by line key; ``None`` where a line is deleted. Added lines are only checked.

    Raises:
        InputError: A line is not there or cannot be edited, or is added to another thread than the main one.
    """
    known = {(line.thread_id, line.index): line for line in lines}
    found: dict[str, str | None] = {}
    for edit in edits.message_edits:
        found[_touched(known, edit.thread_id, edit.index)] = edit.text
    for deletion in edits.message_deletes:
        found[_touched(known, deletion.thread_id, deletion.index)] = None
    for addition in edits.message_appends:
        if addition.thread_id != MAIN_THREAD:
            raise InputError(f"Nothing can be added to the thread {addition.thread_id!r}.")
    return found


def _touched(known: Mapping[tuple[str, int], Line], thread_id: str, index: int) -> str:
    """Return the key of a line that is to be edited.

    Raises:
        InputError: It is not there, or cannot be edited.
    """
    line = known.get((thread_id, index))
    if line is None:
        raise InputError(f"The thread {thread_id!r} has no line {index}.")
    if line.reason is not None:
        raise InputError(f"The line {index} of the thread {thread_id!r} cannot be edited. {line.reason}")
    return line.key


class _Rewriter:
    """Copies JSON with other texts in it.

    Args:
        texts: The new ones by the id of the message or of the event that says it; ``None`` deletes it.
        of_users: The same by the old text, for messages that have no id.
        keeps_memos: Keep navigation memos.
    """

    def __init__(
        self, texts: Mapping[str, str | None], of_users: Mapping[str, str | None], *, keeps_memos: bool
    ) -> None:
        """Keep the new texts."""
        self._texts = texts
        self._of_users = of_users
        self._keeps_memos = keeps_memos

    def rewritten(self, value: Any, depth: int = 0) -> Any:
        """Return a copy of a JSON value with the new texts, without the messages that are deleted.

        What lies deeper than ``_DEEPEST`` levels is returned as it is.
        """
        if depth > _DEEPEST:
            return value
        if isinstance(value, list):
            return [self.rewritten(item, depth + 1) for item in value if not self._is_gone(item)]
        if not isinstance(value, dict):
            return value
        found = {key: self.rewritten(inner, depth + 1) for key, inner in value.items()}
        text = self._new_text(value)
        return found if text is None else {**found, "content": text}

    def _is_gone(self, value: Any) -> bool:
        """Return whether a value is a memo not kept, a deleted message, or an event of only such messages.

        An event of messages that has none stays.
        """
        if not isinstance(value, dict):
            return False
        if value.get("type") == _MEMO:
            return not self._keeps_memos
        message = value.get("message")
        says = message if isinstance(message, dict) else value
        if value.get("type") == "user_messages":
            return bool(value["messages"]) and all(self._is_gone(one) for one in value["messages"])
        is_edited = _key(says) in self._texts or (_is_nameless(says) and says["content"] in self._of_users)
        return is_edited and self._new_text(says) is None

    def _new_text(self, value: JsonObject) -> str | None:
        if _is_nameless(value):
            return self._of_users.get(value["content"])
        return self._texts.get(_key(value))


def _key(value: JsonObject) -> str:
    key = value.get("logical_id") if value.get("type") == "assistant_response" else value.get("id")
    return key if isinstance(key, str) else ""


def _is_nameless(value: JsonObject) -> bool:
    """Return whether it is a user's message as an input has it."""
    is_message = isinstance(value.get("content"), str) and message_kind(value) == "human"
    return is_message and not value.get("id")


def _written(pair: JsonObject, added: list[JsonObject]) -> WrittenPair:
    """Return a pair with added events before the event that closes it, else at its end."""
    output = pair["run_output"]
    events: list[JsonObject] = output["events"]
    place = next((at for at, event in enumerate(events) if event.get("type") == _CLOSING), len(events))
    without_events = {**pair, "run_output": {**output, "events": []}}
    return WrittenPair(encode(without_events), encode([*events[:place], *added, *events[place:]]))


def _said(line: MessageAppend, world: Environment) -> JsonObject:
    """Return the event, as JSON, by which an added line is said in the main thread, with new ids.

    It is a message of the user or an answer of the assistant, by the line's role.
    """
    place: JsonObject = {
        "origin_thread_id": MAIN_THREAD,
        "thread_reference_id": MAIN_THREAD,
        "timestamp": world.now(),
    }
    if line.role == "user":
        message = human_message(line.text, message_id=world.uuid())
        return UserMessagesEvent(messages=[message], logical_id=f"event_{world.uuid()}", **place).to_wire()
    return AssistantResponseEvent(
        content=line.text, logical_id=f"assistant_message_{world.uuid()}", **place
    ).to_wire()
