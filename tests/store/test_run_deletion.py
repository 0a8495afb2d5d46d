from __future__ import annotations

from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import NotFoundError
from debugger.protocol.notes import RunNotes, Target
from debugger.protocol.runs import RunSearch, TurnInput
from debugger.settings import Settings
from tests.support.factories import document, say


def test_delete_run_deletes_notes_and_keeps_forks(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules")
    with closing(EmbeddedBackend(settings)) as backend:
        store, workflow_id = backend.store, backend.create_workflow(document(say("chat"))).id
        run_id = backend.execute(workflow_id, TurnInput.with_message("A quokka")).finish().run_id
        fork_id = backend.fork(run_id, 2)
        store.notes.star(run_id)
        store.notes.change_tags([run_id], ["odd"])
        store.notes.comment(run_id, Target(), "ada", "Well done")
        store.notes.rate(run_id, Target.turn(1), "ada", "up")
        assert store.runs(search=RunSearch(text="quokka")).total == 2

        store.delete_run(run_id)

        assert store.notes.of(run_id) == RunNotes()
        assert [run.workflow_run_id for run in store.runs(search=RunSearch(text="quokka")).rows] == [fork_id]
        assert len(store.run(fork_id).input_output_pairs) == 1
        assert (
            backend.execute(workflow_id, TurnInput.with_message("On"), run_id=fork_id).finish().turn_number
            == 2
        )
        for asked in (store.run, store.delete_run, store.checkpoint):
            with pytest.raises(NotFoundError):
                asked(run_id)
