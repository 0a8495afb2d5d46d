from __future__ import annotations

import pytest

from debugger.replays.results import Divergence, ReplayResult
from debugger.store import ReplayTarget, StoredReplayResult
from debugger.views.panels.replays.address import ReplayOnView
from tests.support.replayed import desk, store_desk
from tests.views.bars import badges, captions, control, keys
from tests.views.records import record_of
from tests.views.row_lists import column, drawn

RUNS = "Runs of the group"
WORDS = Divergence(1, "desk", "Desk", "Good day.", "Good evening.")


@pytest.fixture
def shown(view, backend):
    """Gives the page with a replay of the desk's runs whose results are made up, one for all runs."""

    def made(verdict, divergence=None, reason="", then=None, **target):
        workflow_id = store_desk(backend, desk(), books=2, bills=0)
        place = ReplayTarget(target.pop("workflow_id", workflow_id), 1, "", **target)
        replays, replay_id = backend.store.replays, "f" * 24
        replays.begin(replay_id, place, started_by="Ada", program_version="", selected=2)
        for run in backend.runs(workflow_id=workflow_id).rows:
            result = ReplayResult(run.workflow_run_id, 0, verdict, 1, divergence, reason, then)
            stored = StoredReplayResult(result.run_id, verdict, result.key, result.to_json())
            replays.add(replay_id, stored, is_hosted=bool(place.connection))
        replays.end(replay_id, is_complete=True)
        app = view("replay")
        record_of(app, ReplayOnView).replay = replay_id
        app.run()
        assert not app.exception
        return app

    return made


def texts(app):
    return [text.value for text in app.markdown]


def test_words_are_beside_each_other(shown):
    app = shown("words", WORDS)

    assert "**Other words** at **Desk**" in texts(app)
    assert ":red-background[− Good day\\.]  \n:blue-background[\\+ Good evening\\.]" in texts(app)
    assert "No node and no edge was changed." in captions(app)
    assert column(app, "turn", RUNS) == ["1", "1"]


def test_missing_answer_is_named_below_the_difference(shown):
    asked = Divergence(2, "booking", "Booking", "Which day?", "Which week?", subject="prompt")

    app = shown("words", WORDS, then=asked)

    assert "**Other words** at **Desk**" in texts(app)
    assert "Unknown from turn 2 on, where Booking needs a model" in captions(app)


def test_incomparable_run_is_no_row_to_compare(shown):
    app = shown("not_comparable", None, "It is a fork that begins in the middle of another run.")

    assert [row["target"][1:] for row in drawn(app, RUNS)["rows"]] == [[None, None, None]] * 2
    assert "It is a fork" in app.error[0].value
    assert badges(app)[0] == "2 runs not compared"


def test_version_of_a_file_has_no_graph(shown):
    app = shown("words", WORDS, file="new.json")

    assert "The graph of the file new.json is not stored." in captions(app)
    assert "2 runs on new.json: 2 with other words" in captions(app)
    assert drawn(app, RUNS)["rows"][0]["target"][2:] == [None, None]
    assert control(app, "replay_again_version").value == "1"


def test_deleted_workflow_leaves_the_results(shown):
    app = shown("words", WORDS, workflow_id="a" * 24)

    assert "The graph cannot be drawn" in captions(app)
    assert control(app, "replay_again").help == "Its workflow is deleted"
    assert "replay_again_version" not in keys(app)
    assert len(drawn(app, RUNS)["rows"]) == 2


def test_replay_of_hosted_runs_is_left_to_the_command(shown):
    app = shown("words", WORDS, connection="staging")

    assert "runs of the connection staging" in app.error[0].value.replace("\\", "")
