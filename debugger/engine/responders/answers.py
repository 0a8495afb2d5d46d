r"""The section ``answers`` of a script: what is answered to calls that are simulated.

It is a list, tried from top to bottom::

    answers:
      - to: POST https://api\.example/slots   # searched for in method and URL, upper and lower case alike
        status: 201                           # 200 unless it says otherwise
        body: {booked: true}                  # any value; a text is the answer's text as it stands
      - to: PUT
        error: The service is down.           # no answer came
"""

from __future__ import annotations

from typing import Any

from debugger.engine.outbound.recorded import RecordedAnswer
from debugger.engine.responders.lined_yaml import Lined

_KEYS = ("to", "status", "body", "error")


def read_answers(listed: Lined) -> tuple[RecordedAnswer, ...]:
    """Read the section; the first answer that fits a call is the one that is given.

    Raises:
        InputError: It is not one; the message has the line.
    """
    found = listed.items("answers")
    return tuple(_answer(one, f"answer {number}") for number, one in enumerate(found, start=1))


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
