from __future__ import annotations

from debugger.protocol.runs import TurnInput
from debugger.views.panels.watches import WatchList
from debugger.views.run_state import CurrentRun, Cursor
from debugger.views.run_view import ViewCache
from tests.support.factories import direct, document, say, static, tool
from tests.views.bars import control, use
from tests.views.panels.test_inspector import COUNT
from tests.views.panels.test_why import texts
from tests.views.row_lists import choose, column, drawn, rows, variables
from tests.views.row_lists import use as use_row


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


def states(record):
    events = record(CurrentRun).session.turns[0].events
    return [at for at, event in enumerate(events) if event.type == "workflow_show_state"]


def test_each_variable_names_event_that_set_it_and_leads_there(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    second = states(record)[1]

    assert variables(app, "Runtime", "set")["n"] == "turn 1"
    assert variables(app, "Dynamic", "set")["shop"] == "default"
    choose(app, ["runtime", "n"], "Variables")
    shown = drawn(app, "Variables")
    assert shown["rows"][shown["chosen"]]["target"] == ["runtime", "n"]
    assert control(app, "who_runtime_n").label == f"Set by event {second} · turn 1"
    use(app, "who_runtime_n")

    assert record(Cursor).event == second


def test_runtime_variables_of_run_input_are_under_runtime(app, backend, record, press):
    counted(backend)
    app.run()
    session_input = TurnInput(runtime_variables={"ware": "tea", "n": 7})
    press("start")
    session = record(CurrentRun).session
    session.send("Hello", session_input)
    assert session.wait(10)
    app.run()

    assert variables(app, "Runtime")["ware"] == '"tea"'
    assert variables(app, "Runtime", "set")["ware"] == "run input"
    assert variables(app, "Runtime")["n"] == '{"n": 5}'  # the thread's own wins
    choose(app, ["input", "ware"], "Variables")
    assert control(app, "who_input_ware").label.endswith("turn 2")


def test_names_of_variables_have_room(app, backend, press):
    name = "a_name_that_needs_more_room_than_most"
    backend.create_workflow(document(say("chat"), defaults={name: 1}))
    app.run()
    press("start")

    column = drawn(app, "Variables")["columns"][0]

    assert column["fits"] > 6 * len(name) > column["width"]


def test_only_variables_with_words_that_are_looked_for_are_shown(app, backend, press):
    counted(backend)
    app.run()
    press("start")

    use(app, "state_find", "leaf")
    assert [row["name"] for row in rows(app, "Variables")] == ["shop"]
    use(app, "state_find", "nowhere")

    assert "No variable matches this search" in texts(app)


def test_changes_are_shown_by_event_by_turn_and_by_run_with_signs(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    record(Cursor).event = states(record)[1]
    use(app, "inspector_tab", "Changes")
    of_turn = rows(app, "Variables that")
    use(app, "changes_span", "Event")

    one = rows(app, "Variables that")
    use(app, "changes_span", "Run")
    all_ = rows(app, "Variables that")

    assert of_turn == all_
    assert one[0] == {"sign": "~", "variable": "runtime.n.n", "before": "2", "after": "5"}
    assert "dynamic.shop" in [row["variable"] for row in all_]
    assert {row["sign"] for row in all_} == {"+"}
    record(Cursor).event = states(record)[1] - 1
    use(app, "changes_span", "Event")
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
    use(app, "inspector_tab", "Changes")
    use(app, "changes_span", "Event")

    choose(app, "runtime.line", "Variables that")

    shown = next(part.value for part in app.markdown if "background" in part.value)
    assert ":red-background[− ~~Tuesday~~]" in shown
    assert ":green-background[\\+ Friday]" in shown


def test_what_is_watched_keeps_its_values_and_leads_to_where_it_became_true(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    use(app, "inspector_tab", "Watch")
    assert "Nothing is watched yet" in texts(app)

    app.text_input("new_watch").set_value("[[n.n]] >= 5").run()
    app.text_input("new_watch").set_value("shop").run()
    app.text_input("new_watch").set_value("shop").run()
    watched = [(row["watch"], row["value"]) for row in rows(app, "What is watched")]
    choose(app, "[[n.n]] >= 5", "What is watched")
    values = column(app, "value", "The values of")
    use(app, "first_true")

    assert watched == [("[[n.n]] >= 5", "true"), ("shop", '"Leaf"')]
    assert values == ["false", "true"]
    assert record(Cursor).event == states(record)[1]
    use_row(app, "[[n.n]] >= 5", "remove", label="What is watched")
    assert record(WatchList).texts == ["shop"]


def test_value_of_watch_leads_to_its_event(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    use(app, "inspector_tab", "Watch")
    app.text_input("new_watch").set_value("[[n.n]] >= 5").run()
    choose(app, "[[n.n]] >= 5", "What is watched")

    choose(app, [states(record)[0]], "The values of")

    assert record(Cursor).event == states(record)[0]


def test_watch_that_is_no_condition_is_refused_with_its_place_and_kept_in_box(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    use(app, "inspector_tab", "Watch")

    app.text_input("new_watch").set_value("[[n]] ==").run()

    assert record(WatchList).texts == []
    assert "Expected a value" in " ".join(error.value for error in app.error)
    assert app.text_input("new_watch").value == "[[n]] =="


def test_variable_is_watched_from_its_row(app, backend, record, press):
    counted(backend)
    app.run()
    press("start")
    choose(app, ["runtime", "n"], "Variables")

    use(app, "watch_runtime_n")
    use(app, "inspector_tab", "Watch")

    assert column(app, "watch", "What is watched") == ["runtime.n"]
    assert column(app, "value", "What is watched") == ['{"n": 5}']


def test_variable_with_space_is_watched(app, backend, record, press):
    count = tool("a b", COUNT, {"n": 4}, result_runtime_variable_name="n")
    defaults = {"price (EUR)": 5}
    backend.create_workflow(document(count, say("chat"), direct("a b", "chat"), defaults=defaults))
    app.run()
    press("start")
    use(app, "with_copies", True)
    for scope, name in (("runtime", "a b.n"), ("dynamic", "price (EUR)")):
        choose(app, [scope, name], "Variables")
        use(app, f"watch_{scope}_{name}")

    use(app, "inspector_tab", "Watch")

    assert not app.error
    assert column(app, "watch", "What is watched") == ["[[a b.n]]", "{{price (EUR)}}"]
    assert column(app, "value", "What is watched") == ['{"n": 5}', "5"]


def test_another_run_is_not_shown_with_past_of_one_before(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hi"), say("chat"), direct("a", "chat"), defaults={"x": 1}))
    app.run()
    press("start")
    old = record(ViewCache).history

    press("restart")

    assert record(ViewCache).history is not old
    assert list(variables(app, "Dynamic")) == ["x"]


def test_long_number_keeps_its_digits(app, backend, press):
    backend.create_workflow(document(say("chat"), defaults={"caller": {"id": 9007199254740993}}))
    app.run()
    press("start")

    choose(app, ["dynamic", "caller"], "Variables")

    assert [code.value for code in app.code] == ['{\n  "id": 9007199254740993\n}']
    assert not app.json


def test_other_values_are_trees(app, backend, press):
    backend.create_workflow(document(say("chat"), defaults={"caller": {"id": -(2**53), "is_known": True}}))
    app.run()
    press("start")

    choose(app, ["dynamic", "caller"], "Variables")

    assert '"is_known": true' in app.json[0].value
    assert not app.code
