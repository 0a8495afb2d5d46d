from __future__ import annotations

import pytest

from debugger.errors import StoreError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from tests.factories import document, say, static


@pytest.fixture
def app(view):
    """The page."""
    return view("runs")


def run(backend, workflow):
    session = DebugSession(backend, workflow.id)
    session.start(TurnInput.saying(None, run_by="qa"))
    assert session.wait(10)
    return session.run_id


def table(app):
    return app.dataframe("runs").value


def test_without_runs_the_page_says_what_would_be_here(app):
    app.run()

    assert not app.exception
    assert any("There is none yet" in caption.value for caption in app.caption)


def test_runs_are_listed_with_workflow_status_and_id(app, backend):
    tea = backend.create_workflow(document(say("chat")), name="Tea shop")
    run_id = run(backend, tea)

    app.run()

    row = table(app).to_dict("records")[0]
    assert (row["workflow"], row["status"], row["by"], row["id"]) == ("Tea shop", ["Your turn"], "qa", run_id)
    assert len(row["began"]) == 19


def test_runs_can_be_narrowed_to_a_workflow_and_a_status(app, backend):
    tea = backend.create_workflow(document(say("chat")), name="Tea shop")
    bye = backend.create_workflow(document(static("a", "Bye")), name="Goodbye")
    first, second = run(backend, tea), run(backend, bye)
    app.run()

    app.selectbox("runs_workflow").set_value(tea.id).run()
    by_workflow = list(table(app)["id"])
    app.selectbox("runs_workflow").set_value("").run()
    app.selectbox("runs_status").set_value("completed").run()
    by_status = list(table(app)["id"])

    assert by_workflow == [first]
    assert by_status == [second]


def test_a_filter_that_fits_nothing_says_how_to_see_more(app, backend):
    run(backend, backend.create_workflow(document(say("chat"))))
    app.run()

    app.selectbox("runs_status").set_value("failed").run()

    assert any("No run matches" in caption.value for caption in app.caption)


def test_a_run_opens_by_its_id(app, backend):
    run_id = run(backend, backend.create_workflow(document(say("chat"))))
    app.run()

    app.text_input("run_id_typed").set_value(f" {run_id} ")
    app.button("open_typed").click().run()

    assert not app.exception
    assert app.session_state["debugger_page"].session.run_id == run_id


def test_an_id_that_no_run_has_is_told(app):
    app.run()

    app.text_input("run_id_typed").set_value("665f0c2b9a3e4d5f6a7b8c90")
    app.button("open_typed").click().run()

    assert not app.exception
    assert "665f0c2b9a3e4d5f6a7b8c90" in app.error[0].value


def test_a_chosen_row_opens_its_run(app, backend):
    workflow = backend.create_workflow(document(say("chat")))
    older, _newer = run(backend, workflow), run(backend, workflow)
    app.run()

    app.session_state["runs"] = {"selection": {"rows": [], "columns": [], "cells": [[1, "id"]]}}
    app.run()

    assert not app.exception
    assert app.session_state["debugger_page"].session.run_id == older


def test_the_last_list_stays_when_the_backend_fails(app, backend):
    run(backend, backend.create_workflow(document(say("chat"))))
    app.run()

    backend.fault = StoreError("The database is gone.")
    app.run()

    assert app.error[0].value == "The database is gone\\."
    assert len(table(app)) == 1


def test_long_lists_come_in_pages(app, backend, monkeypatch):
    monkeypatch.setattr("debugger.views.runs._PAGE_SIZE", 2)
    workflow = backend.create_workflow(document(static("a", "Hello")))
    ids = [run(backend, workflow) for _ in range(3)]
    app.run()

    app.pagination("runs_page").set_value(2).run()

    assert list(table(app)["id"]) == [ids[0]]


def test_the_list_tells_how_many_turns_a_run_has_had(app, backend):
    tea = backend.create_workflow(document(say("chat")), name="Tea shop")
    run_id = run(backend, tea)
    session = DebugSession.open(backend, run_id)
    session.send("hello")
    assert session.wait(10)

    app.run()

    assert list(table(app)["turns"]) == [2]
