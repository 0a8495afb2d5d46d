"""The answer of a tool whose call to the outside is simulated."""

from __future__ import annotations

from typing import Any

from debugger.engine.outbound import OutboundError, RecordedAnswer
from debugger.protocol.base import JsonObject


def simulated(recorded: RecordedAnswer | None, made_up: JsonObject) -> Any:
    """What a person recorded, else an answer that says of itself that it is made up.

    Args:
        recorded: What was recorded for the call.
        made_up: What is answered otherwise; a key ``simulated`` is put before it.

    Raises:
        OutboundError: It was recorded that the call fails.
    """
    if recorded is None:
        return {"simulated": True, **made_up}
    if recorded.status is not None and not 200 <= recorded.status < 300:
        raise OutboundError(f"The answer that is recorded for this call has the status {recorded.status}.")
    return recorded.body
