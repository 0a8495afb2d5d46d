"""State of one browser tab.

Only this module uses `st.session_state` and `st.query_params`.

Everything here can vanish at any moment, as on a reload: the store is the truth, and the address names the
run and the turn from which a page is rebuilt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

import streamlit as st

from debugger.analysis.comparison.ignored import IGNORED_BETWEEN_RUNS
from debugger.backends.embedded.python_consents import PythonUse
from debugger.backends.hosted import HostedBackend
from debugger.backends.recorded import RecordedBackend
from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.session.comparison import RunComparison
from debugger.session.fork_draft import ForkDraft
from debugger.session.input_history import InputHistory, ReusedInput
from debugger.session.loading import RecordedRun
from debugger.session.playback import Player
from debugger.session.run_input import RunInputModel
from debugger.session.session import DebugSession
from debugger.session.stepping import Stop
from debugger.session.variable_rows import PendingEdits, VariableRow
from debugger.session.verification import ForkVerification
from debugger.settings import HostedSettings
from debugger.views.auth.owners import Owner
from debugger.views.backend_cache import BackendCache
from debugger.views.url_state import Address, CompareAddress, RunPlace

Record = TypeVar("Record")

Side = Literal["a", "b"]

SIDES: tuple[Side, ...] = ("a", "b")


@dataclass
class CompareState:
    """State of the page Compare."""

    places: dict[Side, RunPlace] = field(default_factory=dict)
    """The runs that were requested."""
    runs: dict[Side, RecordedRun] = field(default_factory=dict)
    """Those of them that could be read."""
    ignoring: frozenset[str] = IGNORED_BETWEEN_RUNS
    shift: int = 0
    """How many turns of A came before the first of B."""
    row: int | None = None
    """The chosen row of the comparison."""
    top: int = 0
    """Which of the rows on view is the uppermost."""
    only_differences: bool = False
    shown: CompareAddress = field(default_factory=CompareAddress)
    """What the address bar last got."""
    left: CompareAddress = field(default_factory=CompareAddress)
    """What it got before that."""
    left_at: float = 0.0
    """When it got something else, on the clock that only goes forward."""
    seen: RunComparison | None = None
    """What was worked out of the runs last."""

    def side_by_side(self) -> RunComparison | None:
        """Return the current comparison; ``None`` until both runs are read."""
        a, b = self.runs.get("a"), self.runs.get("b")
        if a is None or b is None:
            return None
        wanted = (a, b, self.ignoring, self.shift)
        if self.seen is None or (self.seen.a, self.seen.b, self.seen.ignoring, self.seen.shift) != wanted:
            self.seen = RunComparison(*wanted)
        return self.seen


BackendName = Literal["embedded", "hosted", "recording"]
Pane = Literal["page", "head", "workbench", "bar", "setup", "graph", "look"]
"""``page`` is everything: ``head``, which names the run, and ``workbench``, which shows it. The others are in
that one; ``look`` is inspector and lower pane."""

GRAPH_KEY = "graph"
TAB_KEY = "inspector_tab"
LOWER_KEY = "lower_view"
GRAPH_VIEW_KEY = "graph_view"
INPUT_KEY = "input_for"
DRAFT_KEY = "draft"
"""What the box is to hold in which a person answers, as a message that could not be sent."""
_PAGE = "debugger_page"
_STALE_SECONDS = 1.0


class ChosenVariable(NamedTuple):
    """A variable that is looked at."""

    scope: str
    """As ``runtime`` or ``thread_lab``."""
    name: str


class ProductionRequest(NamedTuple):
    """Pending question whether to send to production."""

    connection_name: str
    host: str
    origin: str
    command: Callable[[], None]
    text: str
    """The message that is sent; it is put back into the box if the user declines."""


class PythonRequest(NamedTuple):
    """Pending question whether Python may run without a sandbox."""

    use: PythonUse
    command: Callable[[], None] | None = None
    """Sends the turn that waits for the answer."""
    text: str = ""
    """The message in it; it is put back into the box if the user gives it up."""


@dataclass
class TurnedPage:
    """The page of a long table that is on view."""

    looked_at: Any = None
    """What the table showed, and which row was chosen, when the page was picked."""
    number: int | None = None
    """Counts from 1; ``None`` is the last page, however many there come to be."""


@dataclass
class PageState:
    """State that the pages of one tab share."""

    backend_name: BackendName = "embedded"
    connection_name: str = ""
    """The connection of the hosted backend; empty until one is chosen or needed."""
    hosted_settings: HostedSettings = field(default_factory=HostedSettings)
    """Those that ``hosted_backend`` was opened with."""
    hosted_backend: HostedBackend | None = None
    owner: Owner = field(default_factory=Owner)
    """Stands in where the browser has no cookie; see `debugger.views.auth.owners`."""
    production_request: ProductionRequest | None = None
    """What waits for the user's consent to send to production."""
    python_request: PythonRequest | None = None
    """What waits for the user's answer whether Python may run without a sandbox."""
    session: DebugSession | None = None
    start_inputs: dict[tuple[str, int | None], RunInputModel] = field(default_factory=dict)
    """What each version last got to start with."""
    next_input: RunInputModel = field(default_factory=RunInputModel)
    """What goes with the next message, besides the message."""
    turn_to_open: int | None = None
    """The turn that a run was opened at."""
    awaits_turn: bool = False
    """Whether a turn was started here whose end has not been taken in."""
    advances_by_itself: bool = True
    """Whether the background work of what is on view goes on by itself."""
    event: int | None = None
    """The chosen event by its place in the run, from 0; ``None`` follows the run."""
    node: str | None = None
    """The chosen node's id. The graph forgets it while the table is shown instead."""
    error: DebuggerError | None = None
    """What the last thing a person requested ended in."""
    generation: int = 0
    """Counts how often editors got new content from elsewhere; part of their keys."""
    imports: int = 0
    """Counts the imported files; part of the uploader's key."""
    tables: dict[str, list[VariableRow]] = field(default_factory=dict)
    """What each table under edit first got, by its key."""
    shown_address: Address = field(default_factory=Address)
    """What the address bar last got, so that a change made there is noticed."""
    left_addresses: dict[Address, float] = field(default_factory=dict)
    """What the address bar got just before that, and when it got something else, on the clock that only goes
    forward."""
    links: dict[str, Any] = field(default_factory=dict)
    """The navigation's pages by name."""
    answers: BackendCache = field(default_factory=BackendCache)
    """What the backend said about workflows, versions and runs."""
    edge: str | None = None
    """The chosen edge's id; a node and an edge are never chosen at once."""
    pending: PendingEdits | None = None
    """Edits of the variables of a run that is paused."""
    pending_at: Stop | None = None
    """Pause at which they were started."""
    debug_setups: dict[str, JsonObject] = field(default_factory=dict)
    """What was last set up around a run of each workflow, as breakpoints."""
    compared: CompareState = field(default_factory=CompareState)
    """The two runs of the page Compare."""
    recording: RecordedBackend | None = None
    """The run of a file that was opened in this tab; gone with it, as the file is not stored."""
    recordings: int = 0
    """Counts the opened files; part of the uploader's key."""
    run_filters: dict[str, Any] = field(default_factory=dict)
    """What the filters of the page Runs were left at, by their keys."""
    author: str = ""
    """Who comments and rates here; empty means whom the settings name."""
    recalls: dict[str, InputHistory] = field(default_factory=dict)
    """Earlier run inputs of workflows, as far as they were looked at, by where from."""
    carried: dict[str, ReusedInput] = field(default_factory=dict)
    """Where the input that each workflow is started with was taken from."""
    variable: ChosenVariable | None = None
    """The variable whose whole value is shown."""
    watches: list[str] = field(default_factory=list)
    """What the person watches, each as it was written."""
    past: Any = None
    """What is stored of the past of the run on view; see `debugger.views.run_view`."""
    turned_pages: dict[str, TurnedPage] = field(default_factory=dict)
    """For each long table the page that a person turned to, by the table's key."""
    has_plain_keys: bool = True
    """Whether shortcuts without Ctrl work; see `debugger.views.shortcuts`."""
    opens_help: bool = False
    """Whether the keyboard shortcuts were requested."""
    goes_to: str | None = None
    """The page that was requested, by its name."""
    is_demo: bool = False
    """Whether the run is shown to someone who wants the conversation and nothing technical."""
    player: Player | None = None
    """What is presented, and how far it has come."""
    fork: ForkDraft | None = None
    """The fork that is being prepared."""
    fork_check: ForkVerification | None = None
    """The control run of the turn that it begins with."""
    shows_tree: bool = False
    """Whether the tree of the run's forks is open."""
    drawn: dict[Pane, Any] = field(default_factory=dict)
    """What each pane on view was drawn with; see `debugger.views.refresh`."""
    draws_workbench: bool = False
    """Whether panes are drawn as parts of the workbench, and not by themselves."""
    fragments: list[str] | None = None
    """The last run of fragments."""
    fragments_left: int = 0
    """How many of them have not been started."""
    polled_every: float | None = None
    """Seconds after which what is drawn now is looked at again by itself."""
    given: dict[str, Any] = field(default_factory=dict)
    """What callbacks have set in widgets that have not been drawn since."""

    @property
    def is_confirming(self) -> bool:
        """Return whether a question is open that a turn waits for.

        No other dialog is drawn beside it.
        """
        return self.production_request is not None or self.python_request is not None


def page() -> PageState:
    """Return the state of this tab."""
    if _PAGE not in st.session_state:
        st.session_state[_PAGE] = PageState()
    found: PageState = st.session_state[_PAGE]
    return found


def record(kind: type[Record]) -> Record:
    """Return this tab's instance of a class of state, made with its defaults."""
    return st.session_state.setdefault(f"record_{kind.__qualname__}", kind())  # type: ignore[no-any-return]


def query_parameters() -> dict[str, str]:
    """Return the query parameters of the browser's address."""
    return dict(st.query_params)


def set_query_parameters(parameters: dict[str, str]) -> None:
    """Change the query parameters of the browser's address."""
    if query_parameters() != parameters:
        st.query_params.from_dict(parameters)


def renew_editors() -> None:
    """Let every editor begin anew with what its model holds now."""
    held = page()
    held.generation += 1
    held.tables.clear()


def widget(key: str, default: Any = None) -> Any:
    """Return the value of a keyed widget."""
    return st.session_state.get(key, default)


def set_widget(key: str, value: Any) -> None:
    """Give a keyed widget a value before it is drawn."""
    st.session_state[key] = value


def set_widget_from_callback(key: str, value: Any) -> None:
    """Set a widget from a callback, for its next drawing."""
    page().given[key] = value
    st.session_state[key] = value


def replay_widget_values() -> None:
    """Give widgets their values once more as a run begins.

    Where a callback, or a run that has not drawn them, ends in another run, Streamlit keeps a value and does
    not tell the browser.
    """
    for key, value in page().given.items():
        st.session_state[key] = value


def begin_widget(key: str, value: Any) -> None:
    """Set the first value of a keyed widget.

    A widget that callbacks set, too, can have no default of its own.
    """
    st.session_state.setdefault(key, value)


def keep_widgets(keys: Iterable[str]) -> None:
    """Preserve values of widgets that may not be drawn."""
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def forget_widget(key: str) -> None:
    """Let a keyed widget begin anew when it is drawn next."""
    st.session_state.pop(key, None)


def chosen_element() -> Element | None:
    """Return the selected node or edge."""
    held = page()
    if held.node is not None:
        return Element("node", held.node)
    return None if held.edge is None else Element("edge", held.edge)


def drawn_element() -> Element | None:
    """Return the element that the graph component holds as selected."""
    held = st.session_state.get(GRAPH_KEY)
    return Element.from_browser(held.get("selected")) if held else None


def draw_element(element: Element | None) -> None:
    """Let the graph component select an element at its next drawing."""
    if drawn_element() != element:
        st.session_state[GRAPH_KEY] = {"selected": element.to_props() if element else None}


def pointed_element() -> Element | None:
    """Return the element at which the user requests a breakpoint."""
    held = st.session_state.get(GRAPH_KEY)
    return Element.from_browser(held.get("breakpoint")) if held else None


def address() -> Address:
    """Return the address of the browser."""
    return Address.from_parameters(st.query_params)


def is_stale(found: Address) -> bool:
    """Return whether an address may predate the shown one."""
    return time.monotonic() - page().left_addresses.get(found, -_STALE_SECONDS) < _STALE_SECONDS


def show_address(shown: Address) -> None:
    """Make the address bar name what the page shows."""
    held = page()
    if held.shown_address != shown:
        now, left = time.monotonic(), held.left_addresses
        held.left_addresses = {each: at for each, at in left.items() if now - at < _STALE_SECONDS}
        held.left_addresses[held.shown_address] = now
        held.left_addresses.pop(shown, None)
    held.shown_address = shown
    if address() != shown:
        st.query_params.from_dict(shown.to_parameters())


def compare_address() -> CompareAddress:
    """Return the address of the browser on the page Compare."""
    return CompareAddress.from_parameters(st.query_params)


def is_stale_comparison(found: CompareAddress) -> bool:
    """Return whether a Compare address may predate the shown one."""
    held = page().compared
    return found == held.left and time.monotonic() - held.left_at < _STALE_SECONDS


def show_compare_address(shown: CompareAddress) -> None:
    """Make the address bar name the runs that the page Compare shows."""
    held = page().compared
    if held.shown != shown:
        held.left, held.left_at = held.shown, time.monotonic()
    held.shown = shown
    if compare_address() != shown:
        st.query_params.from_dict(shown.to_parameters())


class Element(NamedTuple):
    """Node or edge of the graph on view."""

    kind: Literal["node", "edge"]
    id: str

    @classmethod
    def from_browser(cls, value: Any) -> Element | None:
        """Read the picture's value; ``None`` where no element is selected."""
        if not isinstance(value, dict) or value.get("kind") not in ("node", "edge"):
            return None
        return cls(value["kind"], str(value.get("id")))

    def to_props(self) -> dict[str, str]:
        """Return the value that the picture takes."""
        return {"kind": self.kind, "id": self.id}
