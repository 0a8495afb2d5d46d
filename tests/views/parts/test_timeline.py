from __future__ import annotations

from tests.factories import direct, document, node, say, static


def rows(app):
    return app.dataframe("timeline").value


def captions(app):
    return " ".join(caption.value for caption in app.caption)


def test_before_a_run_the_timeline_says_what_would_be_here(app, backend):
    backend.create_workflow(document(static("a", "Hello")))

    app.run()

    assert "start the run to see some" in captions(app)


def test_the_events_that_matter_are_shown_and_the_hidden_rest_is_counted(app, backend, page, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    press("start")

    total = len(page().session.turns[0].events)
    assert len(rows(app)) < total
    assert f"{len(rows(app))} of {total} events · {total - len(rows(app))} hidden" in captions(app)


def test_raw_shows_everything(app, backend, page, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    press("start")

    app.segmented_control("timeline_density").set_value("Raw").run()

    assert len(rows(app)) == len(page().session.turns[0].events)
    assert "hidden" not in captions(app)


def test_a_row_tells_turn_time_node_type_and_summary(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    press("start")

    said = next(row for row in rows(app).to_dict("records") if row["type"] == ["assistant_response"])
    assert (said["turn"], said["node"], said["summary"]) == (1, "A", "agent: Hello")
    assert said["time"] >= 0


def test_text_and_type_narrow_the_timeline(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")

    app.text_input("timeline_text").set_value("hello").run()
    by_text = list(rows(app)["type"].explode())
    app.text_input("timeline_text").set_value("").run()
    app.multiselect("timeline_types").set_value(["direct_edge"]).run()
    by_type = list(rows(app)["type"].explode())

    assert set(by_text) == {"say_static", "assistant_response"}
    assert by_type == ["direct_edge"]


def test_a_filter_that_fits_nothing_says_so(app, backend, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    press("start")

    app.text_input("timeline_text").set_value("no such word").run()

    assert "No event matches" in captions(app)


def test_failures_stay_whatever_the_filter(app, backend, press):
    backend.create_workflow(document(node("x", "no_op"), direct("x", "nowhere")))
    app.run()
    press("start")

    app.text_input("timeline_text").set_value("no such word").run()

    assert "workflow_error" in set(rows(app)["type"].explode())


def test_the_chosen_node_can_be_looked_at_alone(app, backend, page, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    page().node = "chat"
    app.run()

    app.toggle("timeline_only_node").set_value(True).run()

    assert set(rows(app)["node"]) == {"Chat"}


def test_the_chosen_event_stays_marked_when_a_filter_moves_it(app, backend, page, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    page().event = rows(app)["#"].iloc[1]
    app.run()
    before = app.session_state["timeline"]["selection"]["cells"]

    app.segmented_control("timeline_density").set_value("Raw").run()

    after = app.session_state["timeline"]["selection"]["cells"]
    assert before[0][0] == 1
    assert after[0][0] == page().event


def test_following_the_run_again_takes_the_mark_away(app, backend, page, press):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    press("start")
    page().event = rows(app)["#"].iloc[0]
    app.run()

    app.button("latest").click().run()

    assert app.session_state["timeline"]["selection"]["cells"] == []


def test_the_latest_turn_can_be_looked_at_alone(app, backend, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    app.chat_input("message").set_value("hello").run()
    settle()

    app.selectbox("timeline_turns").set_value("Latest turn").run()

    assert set(rows(app)["turn"]) == {2}
