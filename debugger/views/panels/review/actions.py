"""State of the page Review, and the commands that change it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, ClassVar

from debugger.analysis.transcript import ReviewedTurn, reviewed_turns
from debugger.errors import EditConflictError, ForbiddenError, NotFoundError, UnsupportedError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import CheckResult, Verdict, VerdictValue, target_words
from debugger.session.loading import RecordedRun, load_run
from debugger.store import ReviewChanges, Role, VerdictChange
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.views import actions, navigation, state
from debugger.views.actions import action
from debugger.views.address_bar import AddressBar
from debugger.views.audit import audit
from debugger.views.auth.permissions import may
from debugger.views.backends import CurrentBackend, current_backend, local_store
from debugger.views.edits import Place, see, store_edit
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
    shown_target: Target = field(default_factory=Target)
    """The part whose page of the transcript was last turned to."""
    drafts: dict[tuple[str, str, str], Draft] = field(default_factory=dict)
    """By run, kind and key of the target."""
    base_of: tuple[str, str, str, str] | None = None
    """The run, the kind and key of the target, and the reviewer on view."""
    base: Verdict | None = None
    """The user's verdict on it as it came on view or was stored here; a change is one of this."""
    steps: list[VerdictChange] = field(default_factory=list)
    """The user's own verdicts of this tab that can be undone, the last one last."""
    restored: dict[int, int] = field(default_factory=dict)
    """The revisions of verdicts that were brought back, by the revision that they had before."""
    revealed: set[str] = field(default_factory=set)
    """Runs on which the verdicts of others are shown before the user's own."""
    opens_next_run: bool = True
    """Whether a verdict on a run leads to the next open one."""
    read: ReadRun | None = None
    is_importing: bool = False
    """Whether the import of a sheet is on view instead of a run."""


def review() -> ReviewState:
    """Return the state of the page in this tab."""
    return state.record(ReviewState)


def reason_against_verdicts() -> str:
    """Return why nothing can be decided here; empty if it can."""
    if state.record(CurrentBackend).name == "recording":
        return "A run from a file is read-only: import it, or review it where it is stored."
    return ""


@action()
def begin_review(wanted: ReviewFilter) -> None:
    """Go to the page Review with the runs of a filter, which are read again; no run is chosen."""
    _choose(wanted)
    navigation.go_to("review")


@action()
def filter_runs(wanted: ReviewFilter) -> None:
    """Review the runs of another filter."""
    _choose(wanted)


def _choose(wanted: ReviewFilter) -> None:
    held = review()
    held.wanted, held.queue, held.run_id, held.target = wanted, None, "", Target()


@action()
def refresh_queue() -> None:
    """Read the runs of the filter, and the one on view, again."""
    held = review()
    held.queue, held.read = None, None


def forget_runs(run_ids: Collection[str]) -> None:
    """Drop what the page has in memory of runs that are deleted for good.

    These are their drafts and verdicts to undo, and the read run where it is one of them. The queue is read
    again in any case; where the run on view is one of them, the first open run takes its place.
    """
    held = review()
    held.queue = None
    held.drafts = {place: draft for place, draft in held.drafts.items() if place[0] not in run_ids}
    held.steps = [step for step in held.steps if step.verdict.run_id not in run_ids]
    held.base_of, held.base = None, None
    if held.read is not None and held.read.recorded.run.workflow_run_id in run_ids:
        held.read = None
    if held.run_id in run_ids:
        held.run_id, held.target = "", Target()


@dataclass
class ReviewBar(AddressBar[ReviewAddress]):
    """Address bar of the page Review."""

    shown: ReviewAddress = field(default_factory=ReviewAddress)

    STALE_SECONDS: ClassVar[float] = 2.0


def follow_address() -> None:
    """Show what the address names, if the user has changed it.

    Its backend, connection, filter and run are taken over as far as it names them; another filter or run
    begins with the run as a whole. Without an address, a filter of another backend or connection is dropped.
    """
    held, bar = review(), state.record(ReviewBar)
    place = (state.record(CurrentBackend).name, connection_of_runs())
    if bar.read() == ReviewAddress() and held.queue is not None and held.queue_of[:2] != place:
        _choose(ReviewFilter())  # its ids are those of another backend
    address = bar.wanted()
    if address is None:
        return
    if address.backend == "embedded":
        actions.choose_backend("embedded")
    elif address.backend == "hosted":
        actions.choose_backend("hosted", address.connection)
    if address.wanted != held.wanted.named:
        _choose(address.wanted)
    if address.run and address.run != held.run_id:
        held.run_id, held.target = address.run, Target()


def show_address() -> None:
    """Make the address name the filter and the run on view."""
    held, current = review(), state.record(CurrentBackend)
    shown = ReviewAddress(current.name, connection_of_runs(), held.run_id, held.wanted.named)
    state.record(ReviewBar).show(shown)


def load_queue() -> ReviewQueue:
    """Return the runs to review, read once for each filter, backend, connection and reviewer.

    For another of the last three, the read run and the verdicts to undo are forgotten.

    Raises:
        DebuggerError: They cannot be read.
    """
    held, current = review(), state.record(CurrentBackend)
    place = (current.name, connection_of_runs(), author())
    if held.queue is None or held.queue_of != place:
        if held.queue_of != place:
            held.read, held.steps = None, []
        queue = read_queue(current_backend(), held.wanted)
        if current.name == "hosted" and not (held.wanted.runs or held.wanted.finds_scenarios):
            of_scenarios = set(local_store().scenario_runs.outcomes(queue.runs))  # the API does not know them
            queue = queue.without(of_scenarios)
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


@action()
def show_run(run_id: str) -> None:
    """Show another run of the queue."""
    held = review()
    held.run_id, held.target = run_id, Target()


@action()
def choose_target(target: Target) -> None:
    """Choose the part of the run that is judged next.

    One that the run has not is ignored: the browser may send it after the page has gone to another run.
    """
    held = review()
    if held.read is not None and (target.kind, target.key) in _parts(held.read):
        held.target = target


@action()
def move_target(step: int) -> None:
    """Choose the next part of the run for a step of 1, or the one before for -1.

    At an end of the run the outermost part stays chosen; before a run is read nothing happens.
    """
    held = review()
    if held.read is None:
        return
    order = _parts(held.read)
    place = order.index((held.target.kind, held.target.key)) + step
    kind, key = order[min(max(place, 0), len(order) - 1)]
    held.target = Target(kind=kind, key=key)


def _parts(read: ReadRun) -> list[tuple[str, str]]:
    return target_order([(turn.number, [row.seq for row in turn.messages]) for turn in read.turns])


@action()
def reveal(run_id: str) -> None:
    """Show the verdicts of others on a run before the user's own."""
    review().revealed.add(run_id)


@action(role=Role.REVIEW)
def decide(run_id: str, target: Target, value: VerdictValue) -> None:
    """Store the user's verdict, then move on from a decided run.

    A verdict on a part stays on its run. Where another tab has stored a contradicting one, the user is asked.
    An error is stored in `LastAction`, not raised.

    Args:
        run_id: The run that the user has seen; the page may show another one by now.
        target: The part of it.
        value: The verdict.
    """
    base = _base(run_id, target)
    _store(run_id, target, base, value, draft_on(run_id, target, base), moves_on=target.kind == "run")


def change_draft(run_id: str, target: Target, change: Callable[[Draft], Draft]) -> None:
    """Change comment and checks; they are stored once there is a verdict.

    Where the user has a verdict already, it is stored at once with the change, as by `decide`.

    Raises:
        DebuggerError: The verdict cannot be read or stored.
    """
    base = _base(run_id, target)
    drafts, place = review().drafts, place_of(run_id, target)
    drafts[place] = change(draft_on(run_id, target, base))
    if base is not None:
        _store(run_id, target, base, base.value, drafts[place])


@action(role=Role.REVIEW)
def undo() -> None:
    """Take back the last verdict of this tab, and show its run and the part that it was on.

    The verdict before it is stored again; without one it is deleted, and comment and checks stay as a draft.
    Nothing happens without a verdict to undo. An error is stored in `LastAction`; the verdict can then be
    undone again, unless another user has changed or deleted it.
    """
    held = review()
    if not held.steps:
        return
    step = held.steps[-1]
    try:
        _restore(step)
    except (EditConflictError, NotFoundError):
        held.steps.pop()
        raise
    held.steps.pop()
    after = step.verdict
    held.run_id, held.target, held.base_of = after.run_id, after.target, None


def _restore(step: VerdictChange) -> None:
    """Store the verdict before a change again, or delete the one that was new and keep its words as a draft.

    Raises:
        EditConflictError: Another user has changed it.
        NotFoundError: It, or its run, was deleted.
        StoreError: It cannot be stored.
    """
    held, after, reviews = review(), step.verdict, local_store().reviews
    expected = after.revision
    while expected in held.restored:
        expected = held.restored[expected]
    if step.before is None:
        reviews.delete_verdict(
            after.run_id, after.target, after.reviewer, connection=after.connection, expected=expected
        )
        held.drafts[place_of(after.run_id, after.target)] = Draft(after.comment, after.checks)
    else:
        last = after.model_copy(update={"revision": expected})
        [stored] = reviews.apply(ReviewChanges([VerdictChange(step.before, last)]))
        held.restored[step.before.revision] = stored.revision


@action(role=Role.REVIEW)
def delete_verdict(verdict: Verdict) -> None:
    """Delete a verdict, and audit that.

    An error is stored in `LastAction`, not raised, as a ForbiddenError for another user's verdict, unless the
    user is an administrator.
    """
    if not may_delete(verdict):
        raise ForbiddenError("This verdict is another user's.", advice="Ask an administrator to delete it.")
    local_store().reviews.delete_verdict(
        verdict.run_id,
        verdict.target,
        verdict.reviewer,
        connection=verdict.connection,
        expected=verdict.revision,
    )
    review().base_of = None
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
    """Return the user's verdicts on a target of each run, by run; a run without one is missing.

    Raises:
        StoreError: The verdicts cannot be read.
    """
    own = author()
    found = chain.from_iterable(
        local_store().reviews.verdicts(run_ids, connection=connection_of_runs()).values()
    )
    return {each.run_id: each for each in found if (each.reviewer, each.target) == (own, target)}


def base_verdict(run_id: str, target: Target, present: Verdict | None) -> Verdict | None:
    """Return the user's verdict on the target on view, as it came on view or was stored here.

    For another run, part or reviewer than before, or once the base is dropped, it is `present`, which is then
    held.
    """
    held, place = review(), (*place_of(run_id, target), author())
    if held.base_of != place:
        held.base_of, held.base = place, present
    return held.base


@action()
def show_present_verdict() -> None:
    """Show the user's verdict as it is stored now; a comment that waits for a verdict stays."""
    review().base_of = None


def _base(run_id: str, target: Target) -> Verdict | None:
    """Return the verdict that the user has seen; that of a target that has left the view is read.

    ``None`` where there is none.

    Raises:
        StoreError: The verdicts cannot be read.
    """
    held = review()
    if held.base_of == (*place_of(run_id, target), author()):
        return held.base
    return own_verdict(run_id, target)


def store_verdicts(
    run_ids: Sequence[str], target: Target, value: VerdictValue, draft: Draft, before: Mapping[str, Verdict]
) -> None:
    """Store the user's verdicts on a target of each run, all or none, in place of those before.

    Raises:
        UnsupportedError: A run out of a file is on view.
        DebuggerError: They cannot be stored: a run was deleted, or one of them was changed meanwhile.
    """
    changes = [
        VerdictChange(_verdict_on(run_id, target, value, draft), before.get(run_id)) for run_id in run_ids
    ]
    local_store().reviews.apply(ReviewChanges(changes))


def _verdict_on(run_id: str, target: Target, value: VerdictValue, draft: Draft) -> Verdict:
    """Return the user's verdict.

    Raises:
        UnsupportedError: A run out of a file is on view.
    """
    if reason := reason_against_verdicts():
        raise UnsupportedError(reason)
    return Verdict(
        run_id=run_id,
        target=target,
        value=value,
        reviewer=author(),
        comment=draft.comment.strip(),
        checks=dict(draft.checks),
        connection=connection_of_runs(),
    )


def _draft_of(verdict: Verdict | None) -> Draft:
    return Draft(verdict.comment, verdict.checks) if verdict else Draft()


def _store(
    run_id: str,
    target: Target,
    base: Verdict | None,
    value: VerdictValue,
    draft: Draft,
    *,
    moves_on: bool = False,
) -> None:
    """Store the user's verdict in place of the one that he has seen, or ask.

    What another tab has stored meanwhile is merged into it; the question opens where both contradict. Once
    stored, it can be undone, its draft is dropped, and with `moves_on` the next open run is chosen where the
    user wants that.

    Raises:
        UnsupportedError: A run out of a file is on view.
        DebuggerError: The user may not store it, or it cannot be read or stored.
    """
    held, draft_place = review(), place_of(run_id, target)
    place: Place = ("verdict", connection_of_runs(), *draft_place, author())
    mine = _verdict_on(run_id, target, value, draft)
    present = own_verdict(run_id, target)
    merged = merge_verdicts(base, mine, present)
    seen_verdict = base if merged is None else present
    mine = merged or mine

    def store(expected: int) -> int:
        """Store the verdict in place of a revision, hold it for `undo` and return the new revision."""
        before = own_verdict(run_id, target)
        if (before.revision if before else NEVER_WRITTEN) != expected:
            before = mine.model_copy(update={"revision": expected})
        change = VerdictChange(mine, before if expected else None)
        [stored] = local_store().reviews.apply(ReviewChanges([change]))
        held.steps.append(replace(change, verdict=stored))
        del held.steps[:-_MAX_STEPS]
        finish()
        return stored.revision

    def finish() -> None:
        """Drop the draft and the base, and choose the next open run where the verdict leads there."""
        held.drafts.pop(draft_place, None)
        held.base_of = None
        if moves_on and held.opens_next_run and held.queue is not None:
            next_run = held.queue.next_open(run_id, set(open_runs(held.queue)))
            held.run_id, held.target = next_run, Target()

    def show_theirs() -> None:
        held.drafts.pop(draft_place, None)
        held.base_of = None

    def go_on() -> None:
        held.drafts[draft_place], held.base_of = draft, None

    see(place, seen_verdict.revision if seen_verdict else NEVER_WRITTEN)
    store_edit(
        place,
        Role.REVIEW,
        store,
        subject="Your verdict",
        mine=_verdict_words({"value": mine.value, "comment": mine.comment, "checks": mine.checks}),
        words=_verdict_words,
        keep_theirs=lambda _: show_theirs(),
        go_on=go_on,
    )


def _verdict_words(content: Mapping[str, Any]) -> str:
    checks = [f"{name}: {result}" for name, result in sorted(content["checks"].items())]
    return "\n".join(filter(None, [content["value"], content["comment"], *checks]))


def merge_verdicts(base: Verdict | None, mine: Verdict, theirs: Verdict | None) -> Verdict | None:
    """Return a verdict with the changes of two tabs of its reviewer; ``None`` where they contradict.

    Args:
        base: The verdict that both have changed, if there was one.
        mine: That of this tab.
        theirs: That of the other one; ``None`` if it was deleted or never given.
    """
    if theirs is None:
        return mine if base is None else None
    first, one, other = _fields(base), _fields(mine), _fields(theirs)
    merged: dict[str, Any] = {}
    for name in first | one | other:
        before, own, present = first.get(name), one.get(name), other.get(name)
        if own != before and present not in (before, own):
            return None
        merged[name] = present if own == before else own
    value, comment = merged.pop("value"), merged.pop("comment")
    checks = {name.removeprefix(_CHECK): result for name, result in merged.items() if result is not None}
    return mine.model_copy(update={"value": value, "comment": comment, "checks": checks})


_CHECK = "check "


def _fields(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {"value": None, "comment": ""}
    checks = {_CHECK + name: result for name, result in verdict.checks.items()}
    return {"value": verdict.value, "comment": verdict.comment, **checks}
