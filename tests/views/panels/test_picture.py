from __future__ import annotations

import pytest

from debugger.errors import InputError
from debugger.graph import graphviz_program as program
from debugger.graph.graphviz_program import run_program
from debugger.views.panels import picture
from debugger.views.panels.picture import PictureDialog
from debugger.views.run_state import CurrentRun
from tests.support.factories import direct, document, say, static
from tests.views.records import record_of


@pytest.fixture
def opened(app, backend):
    """The dialog for a workflow before its first run."""
    backend.create_workflow(document(static("hello", "Hi"), say("chat"), direct("hello", "chat"), name="Tea"))
    app.run()
    record_of(app, PictureDialog).session = record_of(app, CurrentRun).session
    app.run()
    assert not app.exception


def download(app):
    return next(each for each in app.get("download_button") if each.key == "picture_download")


def choose(app, name):
    next(each for each in app.get("button_group") if each.key == "picture_format").set_value(name).run()
    assert not app.exception


def test_path_and_heat_need_a_run(app, opened):
    switches = {each.key: (each.value, each.disabled) for each in app.toggle}

    assert (switches["picture_path"], switches["picture_heat"]) == ((False, True), (False, True))


def test_format_without_its_program_says_what_is_missing(app, opened, monkeypatch):
    monkeypatch.setattr(program.shutil, "which", lambda name, **where: None)

    choose(app, "pdf")

    assert download(app).proto.disabled
    words = "\n".join(each.value for each in app.caption).replace("\\", "")  # without the escapes of Markdown
    assert "PDF needs Graphviz's program dot: apt-get install graphviz" in words
    choose(app, "mmd")
    assert not download(app).proto.disabled


def test_picture_that_cannot_be_made_says_why(app, opened, monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(picture, "audited_file", lambda render, *_, **__: made.append(render) or render)
    monkeypatch.setattr(program, "find_program", lambda output: str(slow))
    monkeypatch.setattr(picture, "make_picture", lambda *_: run_program("digraph {}", "svg", seconds=0.2))
    slow = tmp_path / "dot"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    app.run()

    with pytest.raises(InputError):
        made[-1]()
    app.run()

    assert not app.exception
    words = "\n".join(each.value for each in app.error).replace("\\", "")
    assert "The workflow takes more time than a picture may take. Close super nodes" in words
    choose(app, "mmd")
    assert not app.error
