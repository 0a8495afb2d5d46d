from __future__ import annotations

from debugger.views.panels.variables import ChosenVariable, VariableSelection
from debugger.views.panels.watches import WatchList
from debugger.views.run_state import CurrentRun, Cursor
from debugger.views.run_view import ViewCache
from tests.support.factories import direct, document, say, static, tool
from tests.views.bars import control, use
from tests.views.panels.test_inspector import COUNT, frame
from tests.views.panels.test_why import texts
from tests.views.row_lists import drawn, lists, variables


def counted(backend):
    backend.create_workflow(
        document(
            tool("count", COUNT, {"n": 1}, result_runtime_variable_name="n"),
            tool("again", COUNT, {"n": 4}, result_runtime_variable_name="n"),
            say("chat"),
            direct("count", "again"),
            direct("again", "chat"),
            defaults={"shop": "Leaf"},
        )
    )


def choose_row(app, key, row):
    app.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": [[row, "name"]]}}
    app.run()
    assert not app.exception


def states(record):
    events = record(CurrentRun).session.turns[0].events
    return [at for at, event in enumerate(events) if event.type == "workflow_show_state"]


def test_each_variable_names_event_that_set_it_and_leads_there(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    second = states(record)[1]

    set_by = variables(app, "Runtime", "set")
    assert set_by["n"] == f"1 · {second}"
    assert set_by["n_success"] == f"1 · {states(record)[0]}"
    record(VariableSelection).variable = ChosenVariable("runtime", "n")
    app.run()
    assert drawn(app, "Runtime variables")["chosen"] == list(set_by).index("n")
    assert control(app, "who_runtime_n").label == f"Set by event {second} · turn 1"
    use(app, "who_runtime_n")

    assert record(Cursor).event == second


def test_only_variables_with_words_that_are_looked_for_are_shown(app, backend, press):
    counted(backend)
    app.run()
    press("start")

    use(app, "state_find", "leaf")
    assert list(variables(app, "Dynamic")) == ["shop"]
    assert "Runtime variables" not in lists(app)
    use(app, "state_find", "nowhere")

    assert "No variable has these words" in texts(app)


def test_changes_are_shown_by_event_by_turn_and_by_run_with_signs(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    record(Cursor).event = states(record)[1]
    use(app, "state_view", "Changes")

    one = frame(app, "Variables that")
    use(app, "changes_span", "The run")
    all_ = frame(app, "Variables that")

    assert one.iloc[0].to_list() == ["~", "runtime.n.n", "2", "5"]
    assert "dynamic.shop" in all_["variable"].to_list()
    assert set(all_[""]) == {"+"}
    record(Cursor).event = states(record)[1] - 1
    use(app, "changes_span", "This event")
    assert "changed no variable" in texts(app)


def test_change_of_text_is_shown_word_by_word(app, backend, record, press):
    say_it = "def say(n):\n    return 'You are booked for ' + n + ', Ada.'\n"
    backend.create_workflow(
        document(
            tool("one", say_it, {"n": "Tuesday"}, result_runtime_variable_name="line"),
            tool("two", say_it, {"n": "Friday"}, result_runtime_variable_name="line"),
            say("chat"),
            direct("one", "two"),
            direct("two", "chat"),
        )
    )
    app.run()
    press("start")
    record(Cursor).event = states(record)[1]
    use(app, "state_view", "Changes")
    at = frame(app, "Variables that")["variable"].to_list().index("runtime.line")

    app.session_state["changes"] = {"selection": {"rows": [], "columns": [], "cells": [[at, "after"]]}}
    app.run()

    shown = next(part.value for part in app.markdown if "background" in part.value)
    assert ":red-background[− ~~Tuesday~~]" in shown
    assert ":green-background[\\+ Friday]" in shown


def test_what_is_watched_keeps_its_values_and_leads_to_where_it_became_true(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    use(app, "state_view", "Watch")
    assert "Nothing is watched yet" in texts(app)

    app.text_input("new_watch").set_value("[[n.n]] >= 5").run()
    app.text_input("new_watch").set_value("shop").run()
    app.text_input("new_watch").set_value("shop").run()
    rows = frame(app, "What is watched").to_dict("list")
    choose_row(app, "watches", 0)
    values = frame(app, "The values of")
    use(app, "first_true")

    assert rows["watch"] == ["[[n.n]] >= 5", "shop"]
    assert rows["value"] == ["true", '"Leaf"']
    assert values["value"].to_list() == ["false", "true"]
    assert record(Cursor).event == states(record)[1]
    use(app, "remove_watch")
    assert record(WatchList).texts == ["shop"]


def test_watch_that_is_no_condition_is_refused_with_its_place_and_kept_in_box(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    use(app, "state_view", "Watch")

    app.text_input("new_watch").set_value("[[n]] ==").run()

    assert record(WatchList).texts == []
    assert "Expected a value" in " ".join(error.value for error in app.error)
    assert app.text_input("new_watch").value == "[[n]] =="


def test_variable_is_watched_from_its_row(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    record(VariableSelection).variable = ChosenVariable("runtime", "n")
    app.run()

    use(app, "watch_runtime_n")
    use(app, "state_view", "Watch")

    assert frame(app, "What is watched")["watch"].to_list() == ["runtime.n"]
    assert frame(app, "What is watched")["value"].to_list() == ['{"n": 5}']


def test_another_run_is_not_shown_with_past_of_one_before(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hi"), say("chat"), direct("a", "chat"), defaults={"x": 1}))
    app.run()
    press("start")
    old = record(ViewCache).history

    press("restart")

    assert record(ViewCache).history is not old
    assert list(variables(app, "Dynamic")) == ["x"]
