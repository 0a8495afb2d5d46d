from __future__ import annotations

import pytest

from debugger.exports import EXPORTS
from debugger.protocol.run_file import read_run_file
from debugger.views.panels import export_menu
from tests.support.factories import document, say
from tests.views.bars import control, use


def test_there_is_nothing_to_save_before_turn_is_over(app, backend):
    backend.create_workflow(document(say("chat")))

    app.run()

    assert not app.exception
    assert control(app, "export").disabled
    assert not any(element.key.startswith("download_") for element in app.get("download_button"))


@pytest.mark.parametrize("name", [name for name in EXPORTS if name != "side_effects_csv"])
def test_every_format_is_offered_with_what_it_is_good_for(app, backend, press, name):
    backend.create_workflow(document(say("chat")))
    app.run()

    press("start")
    use(app, "export")

    assert name in export_menu._HELP
    assert f"download_{name}" in [element.key for element in app.get("download_button")]


def test_run_file_holds_record_workflow_and_notes(app, backend, press, page):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    session = page().session
    backend.store.notebook.write(session.run_id, "asks twice")

    file = read_run_file(EXPORTS["json"].render(export_menu._run_file(session)))

    assert file.record().workflow_run_id == session.run_id
    assert len(file.record().input_output_pairs) == 1
    assert file.graph().node_configs[0].logical_id == "chat"
    assert (file.notes.note, file.engine) == ("asks twice", "Embedded engine")
