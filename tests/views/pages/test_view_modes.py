from __future__ import annotations

from debugger.views.run_state import CurrentRun
from tests.support.factories import direct, document, say, static
from tests.views.bars import captions, control, keys, use
from tests.views.talk import notes, words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


def test_both_skins_show_same_session(app, backend, record, press):
    backend.create_workflow(document(*HELLO))
    app.run()
    press("start")
    session, said = record(CurrentRun).session, words(app)

    use(app, "skin")

    assert not app.exception
    assert record(CurrentRun).session is session
    assert words(app) == said
    assert "inspector_tab" not in keys(app), "the inspector is the engineer's"
    use(app, "skin")
    assert "inspector_tab" in keys(app)


def test_demo_view_says_in_words_what_happened(app, backend, press):
    backend.create_workflow(document(*HELLO))
    app.run()
    use(app, "skin")

    press("start")

    assert "A is done. Chat comes next. Now it is your turn." in captions(app)


def test_skin_stands_in_address(app, backend):
    backend.create_workflow(document(*HELLO))
    app.run()

    use(app, "skin")

    assert app.query_params["skin"] == "demo"
    use(app, "skin")
    assert "skin" not in app.query_params


def test_address_opens_demo_view(app, backend):
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"

    app.run()

    assert not app.exception
    assert control(app, "skin").label == "Engineer"
    assert "inspector_tab" not in keys(app)


def test_warnings_are_for_engineer(app, backend, press):
    backend.create_workflow(
        document(
            {"type": "from_the_future", "logical_id": "x", "name": "X"}, say("chat"), direct("x", "chat")
        )
    )
    app.run()
    press("start")
    assert notes(app)

    use(app, "skin")

    assert not notes(app)


def test_empty_backend_says_what_would_be_here_in_demo_view_too(app):
    app.query_params["skin"] = "demo"

    app.run()

    assert not app.exception
    assert any("import one" in caption.value for caption in app.caption)


def test_run_that_stands_still_goes_on_from_demo_view(app, backend, record, press):
    backend.create_workflow(document(*HELLO))
    app.run()
    use(app, "step_node")
    assert record(CurrentRun).session.stop_point is not None
    use(app, "skin")

    press("resume")

    assert words(app) == ["Hello"]
    assert "resume" not in keys(app)
