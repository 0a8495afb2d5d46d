from __future__ import annotations

from tests.factories import direct, document, say, static
from tests.views.talk import words

HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))


def keys(app):
    return {button.key for button in app.button}


def test_both_skins_show_the_same_session(app, backend, page, press):
    backend.create_workflow(document(*HELLO))
    app.run()
    press("start")
    session, said = page().session, words(app)

    app.button("skin").click().run()

    assert not app.exception
    assert page().session is session
    assert words(app) == said
    assert "latest" not in keys(app), "the inspector is the engineer's"
    app.button("skin").click().run()
    assert "latest" in keys(app)


def test_the_demo_view_says_in_words_what_happened(app, backend, press):
    backend.create_workflow(document(*HELLO))
    app.run()
    app.button("skin").click().run()

    press("start")

    told = [caption.value.replace("\\", "") for caption in app.caption]
    assert "Chat waits for the user's message. Last move: A → Chat. This always comes next." in told


def test_the_skin_stands_in_the_address(app, backend):
    backend.create_workflow(document(*HELLO))
    app.run()

    app.button("skin").click().run()

    assert app.query_params["skin"] == "demo"
    app.button("skin").click().run()
    assert "skin" not in app.query_params


def test_an_address_opens_the_demo_view(app, backend):
    backend.create_workflow(document(*HELLO))
    app.query_params["skin"] = "demo"

    app.run()

    assert not app.exception
    assert app.button("skin").label == "Engineer view"
    assert "latest" not in keys(app)


def test_warnings_are_for_the_engineer(app, backend, press):
    backend.create_workflow(
        document(
            {"type": "from_the_future", "logical_id": "x", "name": "X"}, say("chat"), direct("x", "chat")
        )
    )
    app.run()
    press("start")
    assert app.warning

    app.button("skin").click().run()

    assert not app.warning


def test_an_empty_backend_says_what_would_be_here_in_the_demo_view_too(app):
    app.query_params["skin"] = "demo"

    app.run()

    assert not app.exception
    assert any("Setup above" in caption.value for caption in app.caption)


def test_a_run_that_stands_still_goes_on_from_the_demo_view(app, backend, page, press):
    backend.create_workflow(document(*HELLO))
    app.run()
    app.button("step_node").click().run()
    assert page().session.stop_point is not None
    app.button("skin").click().run()

    press("resume")

    assert words(app) == ["Hello"]
    assert "resume" not in keys(app)
