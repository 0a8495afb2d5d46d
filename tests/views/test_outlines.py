"""All that the pages draw, and what each of their controls changes: every word, place and switch.

A file of `outlines` has a page in one state, then each button and option of it, used on a page of its own.
"""

from __future__ import annotations

import json

import pytest

from debugger.protocol.runs import TurnInput
from debugger.views.pages import suites as suites_page
from debugger.views.panels.suites import actions as suite_actions
from debugger.views.run_state import CurrentRun
from tests.support.factories import direct, document, node, say, static
from tests.support.replayed import desk
from tests.views.bars import Part, control, keys, use
from tests.views.outline import check_outline, new_lines, outline
from tests.views.records import record_of

TIME = 1_800_000_000.0
JOBS = {
    *("suites_run", "suites_watch", "replay_start"),
    *("step_event", "step_node", "step_turn", "step_record"),
}
"""They begin work whose state a page shows at any moment of it."""


@pytest.fixture
def crawl(view, backend):
    """Compares a page, and what each of its controls changes, with the file of a name."""

    def crawled(name, page, *, only=None, **address):
        def opened():
            app = view(page)
            for key, value in address.items():
                app.query_params[key] = value
            return app.run()

        app = opened()
        before = outline(app)
        assert outline(opened()) == before
        parts = [before]
        for key, value in _uses(app, keys(app) - JOBS if only is None else only):
            used = opened()
            use(used, key, value)
            session = record_of(used, CurrentRun).session
            if session is not None and session.busy:
                assert session.wait(10)
                used.run()
            assert not used.exception, (key, value)
            parts.append(
                f"== {key}{'' if value is None else f' = {value}'}\n{new_lines(before, outline(used))}\n"
            )
        check_outline("\n".join(parts), name)

    backend.clock = lambda: TIME
    return crawled


def _uses(app, wanted):
    """Yield the buttons of a page, and the other options of its switches, by their keys."""
    for key in sorted(wanted):
        found = control(app, key)
        kind = found.item["kind"] if isinstance(found, Part) else found.type
        if found.disabled:
            continue
        if kind == "button":
            yield key, None
        elif kind in ("toggle", "check"):
            yield key, not found.value
        elif kind in ("switch", "choice"):
            yield from ((key, value) for value, _ in found.item["options"] if value != found.value)


def run_of(backend, made, *said, name="", **variables):
    """Return the id of a run of a new workflow."""
    return run(backend, backend.create_workflow(made, name=name), *said, **variables)


def run(backend, workflow, *said, **variables):
    """Return the id of a run, which a minute passes before."""
    backend.ahead += 60
    backend._world.random.seed(int(backend.ahead))
    given = TurnInput.with_message(None, dynamic_variables=variables)
    run_id = backend.execute(workflow.id, given).finish().run_id
    for text in said:
        backend.execute(workflow.id, TurnInput.with_message(text), run_id=run_id).finish()
    return run_id


def test_debug_without_workflow(crawl):
    crawl("debug_empty", "debug")


def test_debug_before_run(crawl, backend):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")), name="Tea")

    crawl("debug_ready", "debug")


def test_debug_waiting(crawl, backend):
    made = document(static("a", "Hello"), say("chat"), direct("a", "chat"))

    crawl("debug_waiting", "debug", run=run_of(backend, made, "Green, please", name="Tea"))


def test_debug_ended(crawl, backend):
    crawl("debug_ended", "debug", only={"why_ended", "fork_turn"}, run=run_of(backend, desk(), kind="book"))


def test_debug_failed(crawl, backend):
    made = document(node("a", "unknown_kind"))

    crawl("debug_failed", "debug", only={"why_ended", "fork_turn"}, run=run_of(backend, made, name="Odd"))


def test_runs(crawl, backend):
    workflow = backend.create_workflow(desk())
    for kind in ("book", "bill", "book"):
        run(backend, workflow, kind=kind)

    crawl("runs", "runs")


def test_runs_without_any(crawl):
    crawl("runs_empty", "runs", only=())


def test_review(crawl, backend):
    run_of(backend, document(say("chat")), "Green, please", name="Tea")

    crawl("review", "review")


def test_suites(crawl, backend, tmp_path, monkeypatch):
    (tmp_path / "hello.json").write_text(json.dumps(document(static("hello", "Hello"))))
    scenario = "version: 1\nname: Hours\nworkflow: hello.json\nturns: [{say: Hi}]\n"
    (tmp_path / "hours.scenario.yaml").write_text(scenario)
    for module in (suite_actions, suites_page):
        monkeypatch.setattr(module, "embedded_backend", lambda: backend)
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCENARIOS", str(tmp_path))

    crawl("suites", "suites")


def test_compare(crawl, backend):
    workflow = backend.create_workflow(desk())
    one, other = (run(backend, workflow, kind=kind) for kind in ("book", "bill"))

    crawl("compare", "compare", a=one, b=other)


def test_connection(crawl):
    crawl("connection", "connection")


def test_help(crawl):
    crawl("help", "help")


def test_replay_without_any(crawl):
    crawl("replay_empty", "replay")
