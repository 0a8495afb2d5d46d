"""Every pane of the page at random events, compared with what the events up to there say."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from debugger.analysis.chat import chat_messages
from debugger.analysis.decisions import DecisionLog
from debugger.analysis.position import position
from debugger.analysis.transitions import MAX_LATEST
from debugger.analysis.variables import Scopes, scopes_at
from debugger.backends import open_embedded
from debugger.engine.models import Script
from debugger.engine.super_nodes import expand
from debugger.graph.graph import Graph
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog
from debugger.samples import script_for
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.views.components.markdown import json_cell
from debugger.views.components.status_badges import status_badge
from tests.benchmarks.long_runs import record
from tests.browser.conftest import streamlit_app
from tests.browser.driving import open_app, settled
from tests.samples.lab_call import calling
from tests.support.clinic import play
from tests.support.moments import until

pytestmark = pytest.mark.browser

STATUSES = {"ended": "completed", "waiting": "waiting_for_user_input"}
EVENTS = {"clinic": 7, "lab results": 7, "tea room": 6}
"""Random events of each run; a call, one with companions and a super node, a loop."""
MOVE = """([input, place]) => { input.value = place; input.dispatchEvent(new Event("input")); }"""
READ = r"""() => {
  const all = (what, key) => {
    const at = key ? document.querySelector(".st-key-" + key) : document;
    const parts = at ? [at, ...[...at.querySelectorAll("*")].map(each => each.shadowRoot)] : [];
    return parts.filter(Boolean).flatMap(root => [...root.querySelectorAll(what)]);
  };
  const words = each => {
    const copy = each.cloneNode(true);
    copy.querySelectorAll(".icon").forEach(icon => icon.remove());
    return copy.textContent.trim();
  };
  const ids = what => all(what).map(each => each.dataset.id);
  const said = all(".said > *", "conversation");
  const numbers = each => (each.getAttribute("aria-label").match(/as transition (\d+(?:, \d+)*)/) || [])[1];
  return {
    head: all(".part", "context_bar").map(words).filter(text => /^(Viewing|Back to live)/.test(text)),
    status: all(".part", "context_bar").slice(0, 1).map(words).join(),
    at: ids(".node.current, .node.here"),
    visited: ids(".node.visited, .node.current, .node.failed"),
    taken: Object.fromEntries(all(".edge.taken").map(each => [each.dataset.id, numbers(each)])),
    next: ids(".edge.next"),
    said: said.filter(each => !each.matches(".later"))
      .flatMap(each => [...each.querySelectorAll("p")].map(words)),
    later: said.filter(each => each.matches(".later")).length,
    here: said.filter(each => each.matches(".here")).map(each => words(each.querySelector("p"))),
    variables: all("tbody tr", "variables").filter(row => row.cells.length > 1)
      .map(({ cells: [name, value] }) => [words(name).replace(/^[+~] /, ""), words(value)]),
    decision: all(".part", "decision_moment").slice(0, 1).map(words).join().replace(/ of \d+/, ""),
    why: all(".why b", "inspector").map(words)[0] ?? "",
  };
}"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, DebugSession]]]:
    """Addresses and sessions of three recorded runs."""
    folder = tmp_path_factory.mktemp("moments")
    script = Script.load(script_for("workflow_lab_results") or "")
    database = f"sqlite:///{folder}/runs.sqlite3"
    backend = open_embedded(Settings(database=database))
    with calling(folder) as call:
        call.hold(script.demo)
    found = {"clinic": play(backend), "lab results": str(call.run_id), "tea room": record(backend, 120)}
    with streamlit_app(Path(folder), WORKFLOW_DEBUGGER_DATABASE=database) as server:
        yield {
            name: (f"{server.url}/?backend=embedded&run={run_id}", DebugSession.open(backend, run_id))
            for name, run_id in found.items()
        }
    backend.close()


@pytest.mark.parametrize("name", EVENTS)
def test_page_equals_event_under_cursor(page: Page, runs, name: str):
    page.set_viewport_size({"width": 1600, "height": 1500})
    url, session = runs[name]
    last = session.event_count - 1
    open_app(page, url)
    page.locator(".st-key-timeline_density select").select_option("All events")
    settled(page)

    for number, event in enumerate(random.Random(18).sample(range(last), EVENTS[name])):
        page.evaluate(MOVE, [page.locator(".st-key-scrubber input").element_handle(), event])
        expect(page.locator(".st-key-cursor_place")).to_have_text(f"{event} / {last}")
        settled(page)
        assert on_page(page, why_first=number % 2 == 1) == expected(session, event), f"event {event}"
        expect(page).to_have_url(re.compile(rf"event={event}\b"))


def on_page(page: Page, *, why_first: bool) -> dict[str, Any]:
    """Return what the page shows of the moment, by the tab that is open and then by the other one."""
    found: dict[str, Any] = {}
    for tab in ("Why", "Variables") if why_first else ("Variables", "Why"):
        button = page.locator(f".st-key-inspector_tab [data-option='{tab}']")
        if button.get_attribute("aria-checked") != "true":
            button.click()
            settled(page)
            # The tab is marked at once; its content comes with the answer.
            expect(page.locator(".st-key-variables")).to_have_count(1 if tab == "Variables" else 0)
        found = {key: value or found.get(key, value) for key, value in page.evaluate(READ).items()}
    return found | {key: set(found[key]) for key in ("at", "visited", "next")}


def expected(session: DebugSession, event: int) -> dict[str, Any]:
    """Return what the page has to show, read from the events up to the cursor alone."""
    then, graph = until(session.turns, event), session.index.graph
    place, said = position(then, graph), chat_messages(then, session.index.names)
    all_said = chat_messages(session.turns, session.index.names)
    turn = f"turn {then[-1].number}"
    moment = f"background work after {turn}" if then[-1].is_background else turn
    status = status_badge(STATUSES.get(place.state, place.state)).text
    taken: dict[str | None, list[str]] = {}
    for made in place.transitions:
        if made.source == made.destination:
            continue  # no line is drawn for it
        drawn = made.edge_id if made.edge_id in graph.edges else f"{made.source} > {made.destination}"
        taken.setdefault(drawn, []).append(str(made.number))
    following = {edge.edge_id for edge in place.next_edges} - {None, *taken}
    return {
        "head": [f"Viewing {moment}, event {event}", "Back to liveEsc"],
        "status": f"{status}Turn {then[-1].number}",
        "at": {place.current, *place.companions.values()} - {None},
        "visited": set(place.first_visit),
        "taken": {edge: ", ".join(numbers[-MAX_LATEST:]) for edge, numbers in taken.items()},
        "next": following,
        "said": [message.text for message in said],
        "later": len(all_said) - len(said),
        "here": [message.text for message in said if message.role in ("user", "agent")][-1:],
        "variables": list(variables(scopes_at(then))),
        **decision(session, then),
    }


def variables(scopes: Scopes) -> Iterator[list[str]]:
    """Yield name and value of each variable, in the order of the table."""
    main = scopes.runtime.get(MAIN_THREAD, {})
    seeds = {name: value for name, value in scopes.seeds.items() if name not in main}
    others = [values for thread, values in scopes.runtime.items() if thread != MAIN_THREAD]
    for values in (main, seeds, *others, scopes.workflow, scopes.dynamic, scopes.system):
        yield from ([name, json_cell(value)] for name, value in values.items())


def decision(session: DebugSession, then: list[TurnLog]) -> dict[str, str]:
    """Return the place and the ends of the last decision."""
    graph = Graph(expand(session.workflow, session.backend.workflow).workflow)
    log = DecisionLog(graph).catch_up(then)
    last = log.find_last_decision(None)
    if last is None:
        return {"decision": "", "why": ""}
    number = "" if last.transition_number is None else f" · transition {last.transition_number}"
    ends = [graph.nodes[node].label for node in (last.source, last.destination) if node in graph.nodes]
    return {
        "decision": f"Decision {len(log.all)}{number} · turn {last.turn_number}",
        "why": " → ".join(ends),
    }
