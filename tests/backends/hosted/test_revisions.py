"""The state of a run in its record: the record is read only where its row has changed."""

from __future__ import annotations

import pytest

from debugger.backends.hosted import HostedBackend
from debugger.backends.hosted.revisions import RunRevisions
from debugger.protocol.runs import Run, TurnInput
from debugger.settings import HostedSettings
from tests.conformance.graphs import chat, graph
from tests.conformance.served import KEY, create, serving

RUN, OTHER = "6" * 24, "7" * 24


class Records:
    """One run, and what was read of it."""

    def __init__(self, **fields):
        self.fields = {"status": "waiting_for_user_input", "updated_at": "2026-01-01T10:00:00Z", **fields}
        self.pairs = 1
        self.is_listed = True
        self.reads = []

    def run(self, run_id):
        self.reads.append("record")
        pairs = [{"run_input": {}, "run_output": {"events": []}}] * self.pairs
        return Run(workflow_run_id=run_id, workflow_id=OTHER, input_output_pairs=pairs, **self.fields)

    def rows(self, workflow_id, size):
        self.reads.append("rows")
        assert workflow_id == OTHER
        run_id = RUN if self.is_listed else OTHER
        return [Run(workflow_run_id=run_id, workflow_id=workflow_id, **self.fields)]


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def revisions(records):
    return RunRevisions(records.run, records.rows)


def test_record_is_read_once_while_nothing_changes(records, revisions):
    first = [revisions.read(RUN) for _ in range(3)]

    assert [revision.record_length for revision in first] == [1, 1, 1]
    assert records.reads == ["record", "rows", "rows"]


@pytest.mark.parametrize(
    "change", [{"updated_at": "2026-01-01T10:00:01Z"}, {"status": "completed"}], ids=["later", "status"]
)
def test_changed_row_reads_record_again(records, revisions, change):
    revisions.read(RUN)
    records.fields |= change
    records.pairs = 2

    assert revisions.read(RUN).record_length == 2
    assert records.reads == ["record", "rows", "record"]


def test_missing_row_reads_record_again(records, revisions):
    revisions.read(RUN)
    records.is_listed = False
    records.pairs = 2

    assert revisions.read(RUN).record_length == 2


@pytest.mark.parametrize("fields", [{"updated_at": None}, {"status": "running"}], ids=["no time", "running"])
def test_record_is_read_where_row_proves_nothing(fields):
    records = Records(**fields)
    revisions = RunRevisions(records.run, records.rows)

    revisions.read(RUN)
    revisions.read(RUN)

    assert records.reads == ["record", "record"]


def test_turn_of_other_client_is_seen(tmp_path):
    with serving(f"sqlite:///{tmp_path}/served.sqlite3", tmp_path) as api:
        workflow_id = create(api, graph(chat("ask")))
        settings = HostedSettings(base_url=str(api.base_url), api_key=KEY, live_events="off")
        ours, theirs = HostedBackend(settings), HostedBackend(settings)
        run_id = ours.execute(workflow_id, TurnInput.with_message("Hello")).finish().run_id

        before = [ours.revision(run_id).record_length for _ in range(2)]
        said = TurnInput.with_message("More", command="data")
        theirs.execute(workflow_id, said, run_id=run_id).finish()
        after = ours.revision(run_id)
        ours.close()
        theirs.close()

    assert before == [1, 1]
    assert (after.record_length, after.turn_number) == (2, None)
