"""A debugger's kit: what a person has set up around a run, kept with it."""

from __future__ import annotations

from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_text import decode, encode
from debugger.session.session import DebugSession

FORMAT = 1


def kit_of(session: DebugSession) -> JsonObject:
    """What is set up around a session's run."""
    return {
        "format": FORMAT,
        "breakpoints": session.breakpoints.to_json(),
        "interventions": session.interventions.to_json(),
    }


def equip(session: DebugSession, kit: JsonObject) -> None:
    """Set up around a session's run what was set up around another.

    What was kept by a newer version of this program, or is damaged, is left where it is: a run can be
    debugged without.
    """
    if kit.get("format") != FORMAT:
        return
    try:
        session.breakpoints.take(kit["breakpoints"])
        session.interventions.take(kit["interventions"])
    except (DebuggerError, KeyError, TypeError):
        return


def written(kit: JsonObject) -> bytes:
    """A kit as it is kept."""
    return encode(kit)


def read(kept: bytes) -> JsonObject:
    """A kit that was kept."""
    found: JsonObject = decode(kept)
    return found
