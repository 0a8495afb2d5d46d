"""Actions of the page Compare."""

from __future__ import annotations

from debugger.analysis.comparison.comparison import turn_offset
from debugger.errors import DebuggerError
from debugger.session.comparison import RunComparison
from debugger.session.loading import RecordedRun, load_run
from debugger.views import state
from debugger.views.actions import command
from debugger.views.backends import named_backend
from debugger.views.state import SIDES, CompareState, Element, Side
from debugger.views.url_state import CompareAddress, RunPlace

IGNORING_KEY = "compare_ignoring"
SHIFT_KEY = "compare_shift"
DIFFERENCES_KEY = "compare_only_differences"
_PICKERS: dict[Side, str] = {"a": "compare_a", "b": "compare_b"}


def picker_key(side: Side) -> str:
    """Return the key of the box in which a run is chosen."""
    return _PICKERS[side]


@command
def compare(run_a: str, run_b: str) -> None:
    """Compare two runs, each by its id or as ``backend:id``.

    An empty one is left open.
    """
    page = state.page()
    held = page.compared = CompareState(ignoring=page.compared.ignoring)
    for side, text in zip(SIDES, (run_a, run_b), strict=True):
        if text.strip():
            held.places[side] = RunPlace.parse(text, page.backend_name)
    held.shown = current_address()
    try:
        _read_all()
    finally:
        _begin()


@command
def choose(side: Side) -> None:
    """Use the run that was chosen or typed in a picker.

    The one before stays where it cannot be read.
    """
    text = state.widget(picker_key(side)) or ""
    if text.strip():
        place = RunPlace.parse(text, state.page().backend_name)
        run = _read(place)
        held = state.page().compared
        held.places[side], held.runs[side] = place, run
        _begin()


@command
def swap() -> None:
    """Let A be B and B be A."""
    held = state.page().compared
    held.places = {_other(side): place for side, place in held.places.items()}
    held.runs = {_other(side): run for side, run in held.runs.items()}
    _begin()


@command
def reload() -> None:
    """Read both runs again, since others may have gone on with them."""
    _read_all()
    _begin()


def ignore() -> None:
    """Pass over what the pills say."""
    held = state.page().compared
    held.ignoring = frozenset(state.widget(IGNORING_KEY) or ())
    go_to_first()


def move() -> None:
    """Put the turns beside each other as the number says."""
    state.page().compared.shift = int(state.widget(SHIFT_KEY) or 1) - 1
    go_to_first()


def show_differences() -> None:
    """Show the differing rows alone, or all, as the switch says."""
    state.page().compared.only_differences = bool(state.widget(DIFFERENCES_KEY))


def go_to(row: int | None) -> None:
    """Choose a row."""
    state.page().compared.row = row


def go_to_first() -> None:
    """Choose the row where the runs part."""
    seen = state.page().compared.side_by_side()
    go_to(seen.comparison.first if seen else None)


def choose_element(element: Element | None) -> None:
    """Select a node or an edge, and the node's first row.

    A row that differs is preferred.
    """
    page = state.page()
    page.node = element.id if element and element.kind == "node" else None
    page.edge = element.id if element and element.kind == "edge" else None
    seen = page.compared.side_by_side()
    if page.node and seen and (row := seen.comparison.first_at(page.node)) is not None:
        go_to(row)


def scroll(top: int) -> None:
    """Show other rows, and reset the selected one."""
    held = state.page().compared
    held.row, held.top = None, top


def current_address() -> CompareAddress:
    """Return the address of what the page shows."""
    page = state.page()
    texts = [
        page.compared.places[side].text(page.backend_name) if side in page.compared.places else ""
        for side in SIDES
    ]
    return CompareAddress(*texts)


def stamp(seen: RunComparison) -> str:
    """Return the identity of a comparison, for keys of its widgets."""
    return f"{seen.a.run.workflow_run_id}_{seen.b.run.workflow_run_id}_{seen.shift}"


def follow_address() -> None:
    """Show what the address names, if it has changed."""
    wanted = state.compare_address()
    is_known = wanted in (CompareAddress(), state.page().compared.shown)
    if not is_known and not state.is_stale_comparison(wanted):
        compare(wanted.a, wanted.b)
        state.page().compared.shown = wanted


def _read_all() -> None:
    """Read the runs that were requested; what can be read is taken though another fails.

    Raises:
        DebuggerError: One could not be read; of two, the first.
    """
    held = state.page().compared
    faults: list[DebuggerError] = []
    for side, place in held.places.items():
        try:
            held.runs[side] = _read(place)
        except DebuggerError as fault:
            faults.append(fault)
    if faults:
        raise faults[0]


def _read(place: RunPlace) -> RecordedRun:
    return load_run(named_backend(place.backend), place.run)


def _begin() -> None:
    held = state.page().compared
    held.shift = 0
    if len(held.runs) == len(SIDES):
        a, b = held.runs["a"], held.runs["b"]
        held.shift = turn_offset(a.run, a.turns, b.run, b.turns)
    go_to_first()


def _other(side: Side) -> Side:
    return "b" if side == "a" else "a"
