from __future__ import annotations

from debugger.views.panels.scenarios.record import ScenarioRecord
from tests.support.factories import document, say
from tests.views.bars import use


def test_repeated_tag_is_saved_once(app, backend, press, record):
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    press("start")
    use(app, "save_scenario")

    box = next(each for each in app.text_input if each.label == "Tags")
    box.set_value("smoke, , tea, smoke").run()

    assert not app.exception
    assert record(ScenarioRecord).draft.head["tags"] == ["smoke", "tea"]
