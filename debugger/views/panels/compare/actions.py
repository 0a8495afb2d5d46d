"""Actions of the page Compare."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from debugger.analysis.comparison.comparison import turn_offset
from debugger.analysis.comparison.ignored import IGNORED, IGNORED_BETWEEN_RUNS
from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import DebuggerError
from debugger.protocol.runs import RunSearch
from debugger.replays.replayer import Replayer
from debugger.session.comparison import RunComparison
from debugger.session.loading import RecordedRun, gc_paused, load_run
from debugger.views import state
from debugger.views.actions import action
from debugger.views.address_bar import CompareBar
from debugger.views.backends import CurrentBackend, local_store, named_backend
from debugger.views.run_state import CurrentRun, Element, Selection
from debugger.views.url_state import CompareAddress, RunPlace

SHIFT_KEY = "compare_shift"
DIFFERENCES_KEY = "compare_only_differences"
Side = Literal["a", "b"]

SIDES: tuple[Side, ...] = ("a", "b")


@dataclass
class CompareState:
    """State of the page Compare."""

    places: dict[Side, RunPlace] = field(default_factory=dict)
    """The runs of the comparison."""
    runs: dict[Side, RecordedRun] = field(default_factory=dict)
    """Those of them that could be read."""
    unread: dict[Side, RunPlace] = field(default_factory=dict)
    """Runs that were requested, and are read once the pickers are drawn."""
    suggested: CompareAddress = field(default_factory=CompareAddress)
    """The last pair that the page chose itself."""
    ignoring: frozenset[str] = IGNORED_BETWEEN_RUNS
    shift: int = 0
    """How many turns of A came before the first of B."""
    row: int | None = None
    """The chosen row of the comparison."""
    change: int = 0
    """The chosen change of the workflow."""
    only_differences: bool = False
    seen: RunComparison | None = None
    """The last comparison of the runs."""

    def side_by_side(self) -> RunComparison | None:
        """Return the current comparison; ``None`` until both runs are read.

        It is made anew only where the runs, what is ignored or the shift have changed, and is kept in
        ``seen``.
        """
        a, b = self.runs.get("a"), self.runs.get("b")
        if a is None or b is None:
            return None
        wanted = (a, b, self.ignoring, self.shift)
        if self.seen is None or (self.seen.a, self.seen.b, self.seen.ignoring, self.seen.shift) != wanted:
            self.seen = RunComparison(*wanted)
        return self.seen


def picker_key(side: Side) -> str:
    """Return the key of the box in which a run is chosen."""
    return f"compare_{side}"


def ignoring_key(name: str) -> str:
    """Return the key of the switch that passes over a kind of values."""
    return f"compare_ignoring_{name}".replace(" ", "_")


@action()
def compare(run_a: str, run_b: str) -> None:
    """Begin another comparison of two runs, which are requested and read later; what is ignored stays.

    Shift, chosen row and chosen change begin anew, and the address of the pair counts as followed.

    Args:
        run_a: Run A as ``backend:id``, or its id alone for the embedded engine; blank leaves the side empty.
        run_b: Run B, likewise.
    """
    held = CompareState(ignoring=state.record(CompareState).ignoring)
    state.replace_record(held)
    for side, text in zip(SIDES, (run_a, run_b), strict=True):
        if text.strip():  # an address means the same on every backend that a new tab begins with
            held.places[side] = RunPlace.parse(text, "embedded")
    held.unread = held.places.copy()
    state.record(CompareBar).shown = current_address()


def suggest() -> None:
    """Compare the run on view, as B, with its source or the workflow's previous run, as A.

    Nothing changes without a stored run on view, for a pair that the user has chosen, or where the run on
    view is in the pair already. Where no earlier run is found or the backend cannot be read, A is left empty.
    """
    held, session = state.record(CompareState), state.record(CurrentRun).session
    backend_name = state.record(CurrentBackend).name
    is_chosen = bool(held.places) and current_address() != held.suggested
    if session is None or session.run_id is None or is_chosen:
        return
    own = RunPlace(backend_name, session.run_id)
    if own in held.places.values():
        return
    try:
        earlier = earlier_run(session.backend, session.run_id)
    except DebuggerError:
        earlier = ""  # the other run is then for the user to choose
    compare(RunPlace(backend_name, earlier).text(backend_name) if earlier else "", own.text(backend_name))
    state.record(CompareState).suggested = current_address()


def earlier_run(backend: Backend, run_id: str) -> str:
    """Return the id of the run that a fork was made from, else of the workflow's previous run.

    Empty where there is none, or where the run has no readable time of creation.

    Raises:
        DebuggerError: The backend or the local store cannot be read.
    """
    run = backend.record(run_id).run
    if run.source_workflow_run_id:
        return run.source_workflow_run_id
    fork = local_store().forks.of(run_id)
    if fork is not None:
        if fork.way == "played":
            backend.record(fork.source_run_id)  # it may be a run of another backend
        return fork.source_run_id
    try:
        search = RunSearch(until=datetime.fromisoformat(run.created_at or ""))
    except ValueError:
        return ""
    # Two, since an API may count the moment itself as before it.
    rows = backend.runs(workflow_id=run.workflow_id, search=search, size=2).rows
    return next((row.workflow_run_id for row in rows if row.workflow_run_id != run_id), "")


@action()
def choose(side: Side) -> None:
    """Request the run that was chosen or typed in a side's picker; an empty picker removes the side's run.

    A requested run is put into `CompareState.unread` and read by `read_runs`; an id that names no backend is
    one of the page's backend. An error is stored in `LastAction`, not raised.
    """
    held, text = state.record(CompareState), (state.widget(picker_key(side)) or "").strip()
    if text:
        held.unread[side] = RunPlace.parse(text, state.record(CurrentBackend).name)
    else:
        for of_side in held.unread, held.places, held.runs:
            of_side.pop(side, None)


@action()
def swap() -> None:
    """Swap A and B; the shift is computed anew and the first differing row is selected.

    Requested runs change sides, too, and the first change of the workflow is chosen. With fewer than two read
    runs the shift is 0 and no row is selected.
    """
    held = state.record(CompareState)
    held.places = {_other(side): place for side, place in held.places.items()}
    held.runs = {_other(side): run for side, run in held.runs.items()}
    held.unread = {_other(side): place for side, place in held.unread.items()}
    _begin()


@action()
def reload() -> None:
    """Request both runs again, since others may have added turns."""
    held = state.record(CompareState)
    held.unread = held.places.copy()


@action()
def read_runs(progress: Callable[[str], AbstractContextManager[None]]) -> None:
    """Read the requested runs and compare them with the others on view; no run stays requested.

    A run that cannot be read leaves the one before on its side. Where the ids are as before, shift and chosen
    change stay; in any case the first differing row is selected. An error is stored in `LastAction`, not
    raised; of two, the one of A.

    Args:
        progress: Returns the context that shows a text while a step is under way.
    """
    held = state.record(CompareState)
    before = _run_ids(held)
    faults: list[DebuggerError] = []
    for side, place in sorted(held.unread.items()):
        try:
            with progress(f"Reading run {side.upper()}, {place.run}"), gc_paused():
                run = _load(place)
        except DebuggerError as fault:
            faults.append(fault)
        else:
            held.places[side], held.runs[side] = place, run
    held.unread.clear()
    events = sum(len(turn.events) for run in held.runs.values() for turn in run.turns)
    with progress(f"Comparing {events:,} events"), gc_paused():
        if _run_ids(held) == before:
            go_to_first()
        else:
            _begin()
    if faults:
        raise faults[0]


def ignore() -> None:
    """Ignore the kinds of values whose switches are on, and select the first differing row."""
    held = state.record(CompareState)
    held.ignoring = frozenset(one.name for one in IGNORED if state.widget(ignoring_key(one.name)))
    go_to_first()


def move() -> None:
    """Set the shift to the number in the box less 1, and select the first differing row."""
    state.record(CompareState).shift = int(state.widget(SHIFT_KEY, 1)) - 1
    go_to_first()


def show_differences() -> None:
    """Show the differing rows alone, or all, as the switch says."""
    state.record(CompareState).only_differences = bool(state.widget(DIFFERENCES_KEY))


def go_to(row: int | None) -> None:
    """Choose a row."""
    state.record(CompareState).row = row


def go_to_first() -> None:
    """Choose the first row that differs; none where nothing differs or a run is not read."""
    seen = state.record(CompareState).side_by_side()
    go_to(seen.comparison.first if seen else None)


def choose_element(element: Element | None) -> None:
    """Select a node or an edge, or nothing for ``None``; for a node also select its first differing row.

    Without a differing row it is the node's first one; the selected row stays where the runs have none.
    """
    selection = state.record(Selection)
    selection.choose(element)
    seen = state.record(CompareState).side_by_side()
    if selection.node and seen and (row := seen.comparison.first_at(selection.node)) is not None:
        go_to(row)


def choose_change(target: Any) -> None:
    """Choose a change of the workflow by its place; once more leaves it chosen.

    Anything but a list of one non-negative integer is ignored; writes `CompareState.change`.
    """
    place = target[0] if isinstance(target, list) and len(target) == 1 else None
    if type(place) is int and place >= 0:
        state.record(CompareState).change = place


def current_address() -> CompareAddress:
    """Return the address of the comparison on the page; a side without a run is empty.

    It is made of `CompareState.places`: a run that was requested in a picker counts only once it is read.
    """
    compared = state.record(CompareState)
    texts = [
        compared.places[side].text(state.record(CurrentBackend).name) if side in compared.places else ""
        for side in SIDES
    ]
    return CompareAddress(*texts)


def stamp(seen: RunComparison) -> str:
    """Return the identity of a comparison, for keys of its widgets."""
    return f"{seen.a.run.workflow_run_id}_{seen.b.run.workflow_run_id}_{seen.shift}"


def follow_address() -> None:
    """Request the comparison that the address bar names, where the user has changed it.

    Nothing happens for an empty address, the one that is shown, or one that the page has replaced just
    before. The runs are requested by `compare` and read later; the address counts as shown.
    """
    bar = state.record(CompareBar)
    wanted = bar.wanted()
    if wanted is not None:
        compare(wanted.a, wanted.b)
        bar.shown = wanted


def show_address() -> None:
    """Make the address bar name the runs on view."""
    state.record(CompareBar).show(current_address())


def _load(place: RunPlace) -> RecordedRun:
    """Return a run as it was recorded, or as it is replayed on a version.

    Raises:
        DebuggerError: The run or the version cannot be read, or the run cannot be replayed.
    """
    backend = named_backend(place.backend)
    recorded = load_run(backend, place.run)
    if place.version is None:
        return recorded
    options = backend.engine_options if isinstance(backend, EmbeddedBackend) else None
    replayer = Replayer(backend, recorded.run.workflow_id, place.version, options=options)
    played = replayer.play(recorded.run.workflow_run_id)
    changes = {"workflow_run_id": place.name, "version_number": place.version}
    if played.result is not None:
        changes["status"] = played.result.status
    run = recorded.run.model_copy(update=changes)
    return RecordedRun(run, played.segments, replayer.workflow, "", f"{recorded.engine}, replayed")


def _run_ids(held: CompareState) -> dict[Side, str]:
    return {side: run.run.workflow_run_id for side, run in held.runs.items()}


def _begin() -> None:
    """Reset the chosen change, compute the shift of two read runs, and select the first difference.

    With fewer than two runs the shift is 0 and no row is selected.
    """
    held = state.record(CompareState)
    held.shift = held.change = 0
    if len(held.runs) == len(SIDES):
        a, b = held.runs["a"], held.runs["b"]
        held.shift = turn_offset(a.run, a.turns, b.run, b.turns)
    go_to_first()


def _other(side: Side) -> Side:
    return "b" if side == "a" else "a"
