from __future__ import annotations

import re
from html import unescape

from debugger.views.run_state import CurrentRun, Cursor, Selection
from tests.support.factories import direct, document, say, static, tool, when
from tests.views.bars import captions, control, use
from tests.views.row_lists import choose, drawn, rows

COUNT = "def count(n):\n    return {'n': n + 1}\n"


def counting():
    """A node that counts to two, and three ways out of it of which the second holds."""
    return document(
        tool("count", COUNT, {"n": 1}, result_runtime_variable_name="n"),
        say("chat"),
        static("much", "Much."),
        static("none", "None."),
        when("count", "none", "isAbsent([[n]])", name="none"),
        when("count", "chat", "[[n_success]] == true", name="went well"),
        when("count", "much", "isPresent([[n]])", name="much"),
    )


def texts(app):
    """Everything that is written, marks of Markdown left out."""
    parts = [*app.markdown, *app.text, *app.code]
    html = [unescape(re.sub("<[^>]*>", " ", element.proto.body)) for element in app.get("html")]
    return " / ".join([captions(app), *(part.value.replace("\\", "") for part in parts), *html])


def open_why(app):
    use(app, "inspector_tab", "Why")
    assert not app.exception


def test_before_run_tab_says_what_would_be_here(app, backend):
    backend.create_workflow(counting())
    app.run()
    use(app, "lower_view", "Breakpoints")  # unfolds the panes

    open_why(app)

    assert "every outgoing edge of the node" in texts(app)
    assert "start the run" in texts(app)


def test_each_way_out_is_shown_with_its_condition_its_values_and_its_verdict(app, backend, press):
    backend.create_workflow(counting())
    app.run()
    press("start")

    open_why(app)

    shown = texts(app)
    assert "Count → Chat" in shown
    conditions = [
        'isAbsent([[n]])\n→ isAbsent({"n": 2})',
        "[[n_success]] == true\n→ true == true",
        'isPresent([[n]])\n→ isPresent({"n": 2})',
    ]
    places = [shown.index(condition) for condition in conditions]
    assert places == sorted(places)
    assert "false" in shown
    assert "true, but later" in shown
    assert "“went well” comes before it" in shown


def test_one_steps_from_decision_to_decision(app, backend, record, press, settle):
    backend.create_workflow(
        document(static("a", "Hi"), static("b", "Ho"), say("chat"), direct("a", "b"), direct("b", "chat"))
    )
    app.run()
    press("start")
    open_why(app)
    assert "Decision 2 of 2" in texts(app)

    use(app, "previous_decision")
    first = record(Cursor).event
    assert "Decision 1 of 2" in texts(app)
    assert "A → B" in texts(app)
    assert control(app, "previous_decision").disabled
    use(app, "next_decision")

    assert record(Cursor).event > first
    assert record(CurrentRun).session.turns[0].events[record(Cursor).event].type == "direct_edge"
    use(app, "back_to_live")
    assert record(Cursor).event is None
    assert control(app, "inspector_tab").value == "Why"


def test_row_of_list_chooses_its_decision(app, backend, record, press):
    backend.create_workflow(
        document(static("a", "Hi"), static("b", "Ho"), say("chat"), direct("a", "b"), direct("b", "chat"))
    )
    app.run()
    press("start")
    open_why(app)

    shown = rows(app, "Decisions")
    first = drawn(app, "Decisions")["rows"][0]["target"]
    choose(app, first, "Decisions")

    places = [(row["transition"], row["from"], row["to"]) for row in shown]
    assert places == [
        ("1", "A", "B"),
        ("2", "B", "Chat"),
    ]
    assert [record(Cursor).event] == first
    assert "Decision 1 of 2" in texts(app)


def test_decision_as_of_event_is_the_last_one_before(app, backend, record, press):
    backend.create_workflow(
        document(static("a", "Hi"), static("b", "Ho"), say("chat"), direct("a", "b"), direct("b", "chat"))
    )
    app.run()
    press("start")
    events = record(CurrentRun).session.turns[0].events
    begins = [at for at, event in enumerate(events) if event.type == "start_node_run"]

    record(Cursor).event = begins[1]
    open_why(app)

    assert "Decision 1 of 2" in texts(app)
    record(Cursor).event = begins[0]
    app.run()
    assert "is made later, at event" in texts(app)


def test_chosen_edge_shows_its_decisions_alone_until_all_are_asked_for(app, backend, record, press):
    backend.create_workflow(counting())
    app.run()
    press("start")

    record(Selection).edge = "edge_count_chat"
    open_why(app)
    assert "Edge “went well”: taken 1 time" in texts(app)
    assert "Decision 1 of 1" in texts(app)
    record(Selection).edge = "edge_count_much"
    app.run()
    assert "taken 0 times" in texts(app)
    assert "was not taken yet" in texts(app)
    use(app, "leave_edge")

    assert record(Selection).edge is None
    assert "Count → Chat" in texts(app)


def test_marks_in_conditions_and_names_are_shown_and_not_obeyed(app, backend, press):
    backend.create_workflow(
        document(
            static("a", "Hi", name="A [link](http://evil.example) ![x](http://evil.example/x.png)"),
            say("chat"),
            when("a", "chat", "isAbsent([[x]])", name="**bold** :red[x]"),
        )
    )
    app.run()
    press("start")

    open_why(app)

    markdown = " ".join(part.value for part in [*app.markdown, *app.caption])
    assert "](http" not in markdown
    assert "**bold**" not in markdown
    assert "**bold** :red[x]" in texts(app)


def test_markup_in_conditions_and_names_is_shown_as_text(app, backend, press):
    backend.create_workflow(
        document(
            static("a", "Hi"),
            say("chat"),
            when("a", "chat", "isAbsent([[x]])", name="<img src=http://evil.example/x.png>"),
        )
    )
    app.run()
    press("start")

    open_why(app)

    (shown,) = [element.proto.body for element in app.get("html") if 'class="why"' in element.proto.body]
    assert "<img" not in shown
    assert "&lt;img src=http://evil.example/x.png&gt;" in shown


def test_decision_that_cannot_be_evaluated_shows_error(app, backend, press):
    backend.create_workflow(
        document(
            tool("count", COUNT, {"n": 1}, result_runtime_variable_name="n"),
            say("chat"),
            when("count", "chat", "[[n]] < 3"),
        )
    )
    app.run()
    press("start")

    open_why(app)

    assert "cannot be decided" in texts(app)
    assert "Error evaluating condition expression" in texts(app)
