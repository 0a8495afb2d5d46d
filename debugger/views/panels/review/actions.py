"""State of the page Review, and the commands that change it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from debugger.analysis.transcript import ReviewedTurn, reviewed_turns
from debugger.errors import ConflictError, ForbiddenError, UnsupportedError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import CheckResult, Verdict, VerdictValue, target_words
from debugger.session.loading import RecordedRun, load_run
from debugger.store import ReviewChanges, Role, VerdictChange
from debugger.views import actions, navigation, state
from debugger.views.actions import command
from debugger.views.audit import audit
from debugger.views.auth.permissions import may, requires
from debugger.views.backends import CurrentBackend, current_backend, local_store
from debugger.views.panels.notes import author
from debugger.views.panels.review.queue import (
    ReviewAddress,
    ReviewFilter,
    ReviewQueue,
    read_queue,
    target_order,
)
from debugger.views.panels.runs.scope import connection_of_runs

_MAX_STEPS = 200
"""Verdicts that can be undone one after the other."""
_SETTLE_SECONDS = 2.0
"""Seconds in which the browser may still send an address that the page has changed since."""


@dataclass(frozen=True)
class Draft:
    """Comment and checks that wait for their verdict."""

    comment: str = ""
    checks: Mapping[str, CheckResult] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadRun:
    """The run on view."""

    recorded: RecordedRun
    turns: list[ReviewedTurn]


@dataclass
class ReviewState:
    """State of the page Review in one tab."""

    wanted: ReviewFilter = field(default_factory=ReviewFilter)
    queue: ReviewQueue | None = None
    """``None`` until it is read."""
    queue_of: tuple[str, str, str] = ("", "", "")
    """Backend and connection that the queue was read from, and its reviewer."""
    run_id: str = ""
    """The run on view; empty for the first open one."""
    target: Target = field(default_factory=Target)
    """The part of the run that the next verdict is on."""
    turned_to: Target = field(default_factory=Target)
    """The part whose page of the transcript was last turned to."""
    drafts: dict[tuple[str, str, str], Draft] = field(default_factory=dict)
    """By run, kind and key of the target."""
    steps: list[VerdictChange] = field(default_factory=list)
    """The user's own verdicts of this tab that can be undone, the last one last."""
    revealed: set[str] = field(default_factory=set)
    """Runs on which the verdicts of others are shown before the user's own."""
    is_moving_on: bool = True
    """Whether a verdict on a run leads to the next open one."""
    read: ReadRun | None = None
    is_importing: bool = False
    """Whether the import of a sheet is on view instead of a run."""
    shown: dict[str, str] = field(default_factory=dict)
    """The query parameters that the page has last written."""
    shown_at: float = float("-inf")
    """Time of that on the monotonic clock."""


def review() -> ReviewState:
    """Return the state of the page in this tab."""
    return state.record(ReviewState)


def reason_against_verdicts() -> str:
    """Return why nothing can be decided here; empty if it can."""
    if state.record(CurrentBackend).name == "recording":
        return "A run from a file is read-only: import it, or review it where it is stored."
    return ""


@command
def begin_review(wanted: ReviewFilter) -> None:
    """Go to the page Review with the runs of a filter."""
    _choose(wanted)
    navigation.go_to("review")


@command
def filter_runs(wanted: ReviewFilter) -> None:
    """Review the runs of another filter."""
    _choose(wanted)


def _choose(wanted: ReviewFilter) -> None:
    held = review()
    held.wanted, held.queue, held.run_id, held.target = wanted, None, "", Target()


@command
def refresh_queue() -> None:
    """Read the runs of the filter, and the one on view, again."""
    held = review()
    held.queue, held.read = None, None


def forget_runs(run_ids: Collection[str]) -> None:
    """Drop what the page has in memory of runs that are deleted for good."""
    held = review()
    held.queue = None
    held.drafts = {place: draft for place, draft in held.drafts.items() if place[0] not in run_ids}
    held.steps = [step for step in held.steps if step.verdict.run_id not in run_ids]
    if held.read is not None and held.read.recorded.run.workflow_run_id in run_ids:
        held.read = None
    if held.run_id in run_ids:
        held.run_id, held.target = "", Target()


def follow_address() -> None:
    """Show what the address names, if the user has changed it."""
    held = review()
    found = state.query_parameters()
    place = (state.record(CurrentBackend).name, connection_of_runs())
    if not found and held.queue is not None and held.queue_of[:2] != place:
        _choose(ReviewFilter())  # its ids are those of another backend
    if not found or found == held.shown or time.monotonic() - held.shown_at < _SETTLE_SECONDS:
        return
    address = ReviewAddress.from_parameters(found)
    if address.backend == "embedded":
        actions.choose_backend("embedded")
    elif address.backend == "hosted":
        actions.choose_backend("hosted", address.connection)
    if address.wanted != held.wanted:
        _choose(address.wanted)
    if address.run and address.run != held.run_id:
        held.run_id, held.target = address.run, Target()


def show_address() -> None:
    """Make the address name the filter and the run on view."""
    held, current = review(), state.record(CurrentBackend)
    shown = ReviewAddress(current.name, connection_of_runs(), held.run_id, held.wanted).to_parameters()
    if shown != held.shown:
        held.shown, held.shown_at = shown, time.monotonic()
    state.set_query_parameters(shown)


def load_queue() -> ReviewQueue:
    """Return the runs to review, read once for each filter.

    Raises:
        DebuggerError: They cannot be read.
    """
    held, current = review(), state.record(CurrentBackend)
    place = (current.name, connection_of_runs(), author())
    if held.queue is None or held.queue_of != place:
        if held.queue_of != place:
            held.read, held.steps = None, []
        queue = read_queue(current_backend(), held.wanted)
        if held.wanted.is_open_only:
            queue = queue.without(set(queue.runs) - set(open_runs(queue)))
        held.queue, held.queue_of = queue, place
    return held.queue


def open_runs(queue: ReviewQueue) -> list[str]:
    """Return the runs without the user's verdict, in order.

    Raises:
        StoreError: The verdicts cannot be read.
    """
    return local_store().reviews.runs_without_verdict(
        queue.runs, connection=connection_of_runs(), reviewer=author()
    )


def read_run(run_id: str) -> ReadRun:
    """Return a run with its turns; only the last one is held.

    Raises:
        DebuggerError: It cannot be read.
    """
    held = review()
    if held.read is None or held.read.recorded.run.workflow_run_id != run_id:
        held.read = None
        recorded = load_run(current_backend(), run_id)
        turns = reviewed_turns(recorded.run, recorded.turns, recorded.workflow)
        held.read = ReadRun(recorded, turns)
    return held.read


@command
def show_run(run_id: str) -> None:
    """Show another run of the queue."""
    held = review()
    held.run_id, held.target = run_id, Target()


@command
def choose_target(target: Target) -> None:
    """Choose the part of the run that is judged next.

    One that the run has not is ignored: the browser may send it after the page has gone to another run.
    """
    held = review()
    if held.read is not None and (target.kind, target.key) in _parts(held.read):
        held.target = target


@command
def move_target(step: int) -> None:
    """Choose the next part of the run, or the one before."""
    held = review()
    if held.read is None:
        return
    order = _parts(held.read)
    place = order.index((held.target.kind, held.target.key)) + step
    kind, key = order[min(max(place, 0), len(order) - 1)]
    held.target = Target(kind=kind, key=key)


def _parts(read: ReadRun) -> list[tuple[str, str]]:
    return target_order([(turn.number, [row.seq for row in turn.messages]) for turn in read.turns])


@command
def reveal(run_id: str) -> None:
    """Show the verdicts of others on a run before the user's own."""
    review().revealed.add(run_id)


@command
@requires(Role.REVIEW)
def decide(run_id: str, target: Target, value: VerdictValue) -> None:
    """Store the user's verdict, then move on from a decided run.

    Args:
        run_id: The run that the user has seen; the page may show another one by now.
        target: The part of it.
        value: The verdict.
    """
    held = review()
    before = own_verdict(run_id, target)
    _store(run_id, target, value, draft_on(run_id, target, before), before)
    held.drafts.pop(place_of(run_id, target), None)
    if target.kind == "run" and held.is_moving_on and held.queue is not None:
        next_run = held.queue.next_open(run_id, set(open_runs(held.queue)))
        held.run_id, held.target = next_run, Target()


def change_draft(run_id: str, target: Target, change: Callable[[Draft], Draft]) -> None:
    """Change comment and checks; they are stored once there is a verdict."""
    before = own_verdict(run_id, target)
    drafts, place = review().drafts, place_of(run_id, target)
    drafts[place] = change(draft_on(run_id, target, before))
    if before is not None:
        _store(run_id, target, before.value, drafts[place], before)
        del drafts[place]


@command
@requires(Role.REVIEW)
def undo() -> None:
    """Take back the last verdict of this tab; show its run."""
    held = review()
    if not held.steps:
        return
    step = held.steps.pop()
    after = step.verdict
    present = own_verdict(after.run_id, after.target)
    if present is None or present.content != after.content:
        raise ConflictError(
            f"Your verdict on {target_words(after.target)} has been changed elsewhere.",
            advice="Look at it and decide again.",
        )
    if step.before is None:
        local_store().reviews.delete_verdict(
            after.run_id, after.target, after.reviewer, connection=after.connection
        )
        held.drafts[place_of(after.run_id, after.target)] = Draft(after.comment, after.checks)
    else:
        local_store().reviews.apply(ReviewChanges([VerdictChange(step.before, present)]))
    held.run_id, held.target = after.run_id, after.target


@command
@requires(Role.REVIEW)
def delete_verdict(verdict: Verdict) -> None:
    """Delete a verdict.

    Raises:
        ForbiddenError: It is another user's, and the user is not an administrator.
    """
    if not may_delete(verdict):
        raise ForbiddenError("This verdict is another user's.", advice="Ask an administrator to delete it.")
    local_store().reviews.delete_verdict(
        verdict.run_id, verdict.target, verdict.reviewer, connection=verdict.connection
    )
    audit(
        "delete verdict",
        verdict.run_id,
        reviewer=verdict.reviewer,
        on=target_words(verdict.target),
        connection=verdict.connection,
    )


def may_delete(verdict: Verdict) -> bool:
    """Return whether the user may delete a verdict."""
    return may(Role.ADMIN) or verdict.reviewer == author()


def place_of(run_id: str, target: Target) -> tuple[str, str, str]:
    """Return the key of a target among the drafts."""
    return run_id, target.kind, target.key


def draft_on(run_id: str, target: Target, own: Verdict | None) -> Draft:
    """Return the comment and checks to show, stored or not."""
    return review().drafts.get(place_of(run_id, target)) or _draft_of(own)


def own_verdict(run_id: str, target: Target) -> Verdict | None:
    """Return the user's verdict on a target.

    Raises:
        StoreError: The verdicts cannot be read.
    """
    return own_verdicts([run_id], target).get(run_id)


def own_verdicts(run_ids: Collection[str], target: Target) -> dict[str, Verdict]:
    """Return the user's verdicts on a target of each run."""
    own = author()
    found = chain.from_iterable(
        local_store().reviews.verdicts(run_ids, connection=connection_of_runs()).values()
    )
    return {each.run_id: each for each in found if (each.reviewer, each.target) == (own, target)}


def store_verdicts(
    run_ids: Sequence[str], target: Target, value: VerdictValue, draft: Draft, before: Mapping[str, Verdict]
) -> list[VerdictChange]:
    """Store the user's verdicts on a target of each run, all or none, in place of those before."""
    if reason := reason_against_verdicts():
        raise UnsupportedError(reason)
    common = {
        "target": target,
        "value": value,
        "reviewer": author(),
        "comment": draft.comment.strip(),
        "checks": dict(draft.checks),
        "connection": connection_of_runs(),
    }
    changes = [VerdictChange(Verdict(run_id=run_id, **common), before.get(run_id)) for run_id in run_ids]
    local_store().reviews.apply(ReviewChanges(changes))
    return changes


def _draft_of(verdict: Verdict | None) -> Draft:
    return Draft(verdict.comment, verdict.checks) if verdict else Draft()


def _store(run_id: str, target: Target, value: VerdictValue, draft: Draft, before: Verdict | None) -> None:
    steps = review().steps
    steps += store_verdicts([run_id], target, value, draft, {run_id: before} if before else {})
    del steps[:-_MAX_STEPS]
