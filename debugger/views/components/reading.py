"""Transcript of a run, as one element whose turns and messages can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from debugger.analysis.transcript import ReviewedTurn, TranscriptRow
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.notes import Target
from debugger.protocol.reviews import VerdictValue, is_number
from debugger.views import state
from debugger.views.components.factory import component

_SILENT = "Nothing was said."
_TRANSCRIPT = component("review_transcript", __package__, "reading", ("elements.js", "reading.js"))


def draw_transcript(
    key: str,
    turns: Sequence[ReviewedTurn],
    verdicts: Mapping[tuple[str, str], VerdictValue],
    *,
    chosen: Target,
    height: int,
    page: str,
    on_choose: Callable[[Target], None],
) -> None:
    """Draw a transcript.

    Args:
        key: The widget's.
        turns: The turns of the run.
        verdicts: The verdicts to show, by kind and key of their targets.
        chosen: The chosen turn or message; the run means none.
        height: In pixels, where style.css has no other.
        page: While it is equal, the box stays where the user has scrolled to.
        on_choose: Takes the target that the user chooses.
    """

    def choose() -> None:
        """Take the target that the browser names; one that is malformed is ignored."""
        kind, _, number = str(state.sent_by_browser(key, "chosen") or "").partition(":")
        if kind == "run":
            on_choose(Target())
        elif kind in {"turn", "message"} and is_number(number):
            on_choose(Target(kind="turn" if kind == "turn" else "message", key=number))

    _TRANSCRIPT(
        key=key,
        height=height,
        data={
            # As one text: Streamlit would look through all that it holds for tables.
            "turns": encode([_turn(turn, verdicts) for turn in turns]).decode(),
            "chosen": "" if chosen.kind == "run" else f"{chosen.kind}:{chosen.key}",
            "empty": "The messages of the run appear here. Nothing was said in it.",
            "page": page,
        },
        on_chosen_change=choose,
    )


def _turn(turn: ReviewedTurn, verdicts: Mapping[tuple[str, str], VerdictValue]) -> JsonObject:
    """Return a turn as the browser draws it; without a verdict that is empty."""
    return {
        "target": f"turn:{turn.number}",
        "title": f"Turn {turn.number}",
        "path": turn.path or ("" if turn.messages else _SILENT),
        "changes": turn.changes,
        "error": turn.error,
        "verdict": verdicts.get(("turn", str(turn.number)), ""),
        "messages": [_message(row, verdicts) for row in turn.messages],
    }


def _message(row: TranscriptRow, verdicts: Mapping[tuple[str, str], VerdictValue]) -> JsonObject:
    """Return a message as the browser draws it; without a verdict that is empty."""
    background = "in the background" if row.is_background else ""
    return {
        "target": f"message:{row.seq}",
        "role": "error" if row.is_error else row.role,
        "text": row.text or _SILENT,
        "node": ", ".join(filter(None, [row.node_name if row.role == "agent" else "", background])),
        "verdict": verdicts.get(("message", str(row.seq)), ""),
    }
