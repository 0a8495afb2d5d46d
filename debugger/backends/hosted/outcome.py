"""Tables that decide whether a sent turn was executed: the one place that does.

Two tables, which read nothing and send nothing. `classify_status` says how far an answer with a status is
believed, `decide` what the answer and the record together mean::

    decide(classify_status(502, None, ...), "at_rest", waited=False)  # "not_executed"

`turn_sender` and `streamed_turn` report the answer, `reconciliation` what the record shows, and whoever shows
a turn shows the outcome.

Source: ``platform.md#was-a-turn-executed``.
"""

from __future__ import annotations

from typing import Any, Literal

from debugger.backends.base import FoundTurn, TurnOutcome

AnswerState = Literal[
    "refused", "denied", "conflict", "failed", "unsent", "lost", "interrupted", "incomplete"
]
"""The state of the answer to a turn.

``refused``: the API itself says, in its own words, that it does not execute the turn, or did not store it.
``denied``: 401, 403, 429, or a socket closed before the turn was acknowledged: who asks, or how often, is the
reason.
``conflict``: the API's own 409: another turn of the run is being executed or came first.
``failed``: any other status from 300 on: of the API, or of what is in front of it.
``unsent``: no byte of the turn has left.
``lost``: no answer, an answer of another turn, or one that is no turn.
``interrupted``: no answer, and what the record lacks may have been executed, or be so yet: the server could
not be reached meanwhile, or the answer did not come in time and the server would execute a late request.
``incomplete``: an answer to the turn that lacks events, repeats them or has them out of order.
"""

RecordState = Literal[
    "holds",
    "seems",
    "twice",
    "unstored",
    "ambiguous",
    "executing",
    "busy",
    "at_rest",
    "newer",
    "over",
    "gone",
    "behind",
    "unread",
    "denied",
]
"""The state of a turn in one read of the record.

``holds``: one turn bears its id. ``seems``: none bears an id, and one has its text at its number, or, of a
first turn, in a run that began after it was sent. ``twice``: two bear its id. ``ambiguous``: more than one
fits by its text.
``unstored``: it is there among the turns that were interrupted after they had made calls.
``executing``: it is being executed. ``busy``: something is, perhaps this turn.
``at_rest``: nothing is, and the turn is not there. ``newer``: the same, and other turns took its number.
``over``: it is not there, and the run has ended. ``gone``: there is no such run.
``behind``: it is not there, which proves nothing: the record is older than the turn, lacks turns that were
answered before, or was not read whole.
``unread``: it could not be read. ``denied``: reading it was answered with 401, 403 or 429, too.
"""

Step = TurnOutcome | Literal["read_on", "send_again", "in_progress", "refused", "as_answered"]
"""A outcome, or what to do instead.

``read_on``: read the record again. ``send_again``: it was not executed, and what was in its way has ended.
``in_progress``: it was not executed, and what is in its way takes long. ``refused``: the answer stands.
``as_answered``: it was executed, and the answer is all there is of it.
"""

CONFLICT_REASONS = frozenset({"stale_turn", "turn_in_progress"})
"""The API's own reasons of a 409."""
NOT_STORED = "turn_not_stored"
"""The API's own reason of a 409 to a turn that was executed and is not on record."""
SESSION_NOT_FOUND = "session not found"
NO_START = "no start node found"

_Row = dict[RecordState, tuple[Step, Step]]
"""The step after a read, and that once the record was read for the usual time."""

_SHOWN: _Row = {
    "holds": ("arrived", "arrived"),
    "seems": ("seems_arrived", "seems_arrived"),
    "twice": ("executed_twice", "executed_twice"),
    "unstored": ("unstored", "unstored"),
}
_OPEN: _Row = {
    **_SHOWN,
    "ambiguous": ("unknown", "unknown"),
    "executing": ("read_on", "unknown"),
    "busy": ("read_on", "unknown"),
    "behind": ("read_on", "unknown"),
    "unread": ("read_on", "unknown"),
    "denied": ("read_on", "unknown"),
    "gone": ("over", "over"),
    # The last turn may be on record later than the end of the run.
    "over": ("read_on", "over"),
}
_TABLE: dict[AnswerState, _Row] = {
    "failed": {
        **_OPEN,
        "at_rest": ("not_executed", "not_executed"),
        "newer": ("stale", "stale"),
        "over": ("over", "over"),
    },
    "lost": {
        **_OPEN,
        # The request may still be on its way.
        "at_rest": ("read_on", "not_executed"),
        "newer": ("read_on", "stale"),
    },
    "interrupted": {
        **_OPEN,
        "at_rest": ("read_on", "unknown"),
        "newer": ("read_on", "unknown"),
    },
    "denied": {
        **_SHOWN,
        "ambiguous": ("unknown", "unknown"),
        "executing": ("read_on", "unknown"),
        "busy": ("read_on", "unknown"),
        "behind": ("read_on", "unknown"),
        "unread": ("read_on", "unknown"),
        "denied": ("refused", "refused"),
        "gone": ("refused", "refused"),
        "over": ("refused", "refused"),
        "at_rest": ("refused", "refused"),
        "newer": ("refused", "refused"),
    },
    "conflict": {
        **_SHOWN,
        "ambiguous": ("unknown", "unknown"),
        "executing": ("read_on", "in_progress"),
        "busy": ("read_on", "in_progress"),
        "behind": ("read_on", "in_progress"),
        "unread": ("read_on", "in_progress"),
        "denied": ("read_on", "in_progress"),
        "gone": ("over", "over"),
        "over": ("over", "over"),
        "at_rest": ("send_again", "in_progress"),
        "newer": ("stale", "stale"),
    },
    "incomplete": {
        "holds": ("arrived", "arrived"),
        "seems": ("arrived", "arrived"),  # the answer said that it was executed
        "twice": ("executed_twice", "executed_twice"),
        "unstored": ("unstored", "unstored"),
        "ambiguous": ("as_answered", "as_answered"),
        "executing": ("read_on", "as_answered"),
        "busy": ("read_on", "as_answered"),
        "behind": ("read_on", "as_answered"),
        "unread": ("read_on", "as_answered"),
        "denied": ("as_answered", "as_answered"),
        "gone": ("as_answered", "as_answered"),
        "over": ("read_on", "as_answered"),
        "at_rest": ("read_on", "as_answered"),
        "newer": ("read_on", "as_answered"),
    },
}


BELIEVED: dict[AnswerState, Step] = {"refused": "refused", "unsent": "send_again"}
"""The step after an answer that is believed without a look at the record."""


def decide(answer: AnswerState, record: RecordState, *, waited: bool) -> Step:
    """Return what an answer and a read of the record mean for a turn.

    Args:
        answer: What is known of the answer.
        record: What the record shows; of an answer that is believed without a look, anything.
        waited: Whether the record was read for the usual time.
    """
    if answer in BELIEVED:
        return BELIEVED[answer]
    return _TABLE[answer][record][waited]


def classify_status(status: int, body: Any, *, has_started: bool, uses_known_run: bool) -> AnswerState:
    """Return how far an answer with a status from 300 on is believed.

    Args:
        status: Its HTTP status.
        body: Its JSON; ``None`` where it has none.
        has_started: Whether the turn was sent to a run, and is not the first one.
        uses_known_run: Whether this client has had an answer of that run before.
    """
    fields = body if isinstance(body, dict) else {}
    detail = fields.get("detail")
    words = detail.lower() if isinstance(detail, str) else ""
    match status:
        case 401 | 403 | 429:
            return "denied"
        case 400 if _is_text(fields.get("message")) and _is_text(fields.get("error")):
            return "refused"
        case 404 if words == SESSION_NOT_FOUND and has_started and not uses_known_run:
            return "refused"
        case 409 if fields.get("reason") in CONFLICT_REASONS:
            return "conflict"
        case 409 if fields.get("reason") == NOT_STORED:
            return "refused"
        case 504:  # a gateway has not waited for the answer, which says as little as none
            return "lost"
        case 422 if isinstance(detail, list) and detail and all(map(_is_field_problem, detail)):
            return "refused"
        case 500 if NO_START in words:
            return "refused"
    return "failed"


def record_state(found: FoundTurn) -> RecordState:
    """Return what a read of the record has shown.

    A turn that is absent is ``newer``, ``over``, ``behind`` or ``at_rest``, the first of these that holds; a
    doubt excludes ``newer``.
    """
    match found.state:
        case "finished":
            return "holds" if found.is_certain else "seems"
        case "repeated":
            return "twice"
        case "ambiguous" | "unstored":
            return found.state
        case "running":
            return "executing" if found.is_certain else "busy"
    if found.newer_turns and not found.doubt:
        return "newer"
    if found.record is not None and found.record.run.is_over:
        return "over"
    return "behind" if found.doubt else "at_rest"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_field_problem(problem: Any) -> bool:
    return isinstance(problem, dict) and isinstance(problem.get("loc"), list) and "msg" in problem
