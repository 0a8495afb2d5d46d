r"""The sections ``answers`` and ``tools`` of a script: answers to calls that are simulated.

Lists are tried from top to bottom, the first entry that fits answers::

    answers:
      - to: POST https://api\.example/slots   # searched for in method and URL, upper and lower case alike
        status: 201                           # 200 unless it says otherwise
        body: {booked: true}                  # any value; a text is the answer's text as it stands
      - to: PUT
        error: The service is down.           # no answer came
    tools:                                    # used where inline Python is refused, and nowhere else
      book_slot:                              # the tool's name
        - with: {slot.day: sun(day)?, cups: 2}   # paths into the arguments: a regular expression that is
          error: We are closed on Sundays.       # searched for in a text, or the value that is equal
        - result: {booked: "[[slot.day]]"}    # any value; [[ ]] is an argument, with its type where it is all

An entry of ``tools`` without ``with`` answers every call that no entry before it has answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from debugger.engine.models.lined_yaml import Lined
from debugger.engine.outbound.gateway import RecordedAnswer
from debugger.engine.paths import EVERY, Path, parse_path
from debugger.engine.tools.simulation import ToolAnswer
from debugger.errors import InputError

_KEYS = ("to", "status", "body", "error")
_TOOL_KEYS = ("with", "result", "error")


def read_answers(listed: Lined) -> tuple[RecordedAnswer, ...]:
    """Read the section; the first answer that fits a call is the one that is given.

    Raises:
        InputError: It is not one; the message has the line.
    """
    found = listed.items("answers")
    return tuple(_answer(one, f"answer {number}") for number, one in enumerate(found, start=1))


def read_tool_answers(section: Lined) -> tuple[ToolAnswer, ...]:
    """Read the section ``tools``: the recorded answers of inline Python, by the tool's name.

    Raises:
        InputError: It is not one; the message has the line.
    """
    return tuple(
        _tool_answer(tool, entry, f"answer {number} of {tool!r}")
        for tool, entries in section.mapping("tools").items()
        for number, entry in enumerate(entries.items(f"the answers of {tool!r}"), start=1)
    )


def _tool_answer(tool: str, entry: Lined, place: str) -> ToolAnswer:
    keys = entry.mapping(place, _TOOL_KEYS)
    if ("result" in keys) == ("error" in keys):
        raise entry.error(f"{place} needs either a result or an error", "Give it one of the two.")
    return ToolAnswer(
        tool,
        tuple(_conditions(keys["with"])) if "with" in keys else (),
        keys["result"].plain() if "result" in keys else None,
        _error(keys["error"]) if "error" in keys else None,
    )


def _conditions(listed: Lined) -> Iterator[tuple[Path, Any]]:
    for path, wanted in listed.mapping("with").items():
        try:
            steps = parse_path(path)
        except InputError as error:
            raise wanted.error(error.message.rstrip("."), error.advice) from error
        if EVERY in steps:
            raise wanted.error(f"{path!r} leads to many places", "Name one element by its index.")
        yield steps, wanted.pattern("with") if isinstance(wanted.value, str) else wanted.plain()


def _answer(given: Lined, place: str) -> RecordedAnswer:
    keys = given.mapping(place, _KEYS)
    if "to" not in keys:
        raise given.error(f"{place} does not say which calls it is for", "Add 'to' and a regular expression.")
    if "error" in keys and len(keys) > 2:
        raise keys["error"].error(f"{place} has an error besides a status or a body", "Keep one of the two.")
    return RecordedAnswer(
        target=keys["to"].pattern("to"),
        status=_status(keys["status"]) if "status" in keys else None,
        body=keys["body"].plain() if "body" in keys else None,
        error=_error(keys["error"]) if "error" in keys else None,
    )


def _status(given: Lined) -> int:
    value: Any = given.value
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise given.error("status must be a whole number from 100 to 599")
    return value


def _error(given: Lined) -> str:
    text = given.text("error")
    if not text.strip():
        raise given.error("error must say why no answer came")
    return text
