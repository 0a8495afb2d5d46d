from __future__ import annotations

from tests.support.factories import document, say
from tests.views.bars import use


def test_turn_can_be_copied_in_each_language_without_key(app, backend, press, record):
    workflow = backend.create_workflow(document(say("chat")))
    app.run()
    press("start")

    app.session_state["copy_as"] = True
    use(app, "inspector_tab", "Input")

    assert not app.exception
    curl, python = [code.value for code in app.code if "/execute" in code.value]
    path = f"http://localhost:8611/workflows/v1/workflows/{workflow.id}/execute?version=0"
    assert path in curl and path in python
    assert "$INTERACTLY_API_KEY" in curl
    assert 'os.environ["INTERACTLY_API_KEY"]' in python
