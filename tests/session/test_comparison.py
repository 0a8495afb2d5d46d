from __future__ import annotations

import pytest

from debugger.analysis.comparison.ignored import IGNORED_BETWEEN_RUNS
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import InputError, NotFoundError
from debugger.protocol.runs import TurnInput
from debugger.session.comparison import RunComparison
from debugger.session.loading import load_run
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static, when


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def desk(prompt="Talk."):
    """A desk that leads to tea or coffee."""
    parts = static("hi", "Hello"), say("desk", prompt), static("tea", "Tea!"), static("coffee", "Coffee!")
    ways = when("desk", "tea", freeform="wants tea"), when("desk", "coffee", freeform="wants coffee")
    return document(*parts, direct("hi", "desk"), *ways)


def play(backend, workflow_id, *said, version=None):
    result = backend.execute(workflow_id, TurnInput(), version_number=version).finish()
    for text in said:
        backend.execute(workflow_id, TurnInput.with_message(text), run_id=result.run_id).finish()
    return load_run(backend, result.run_id)


def test_two_diverging_runs_are_compared_in_full(backend):
    kept = backend.create_workflow(desk())
    a, b = (play(backend, kept.id, f"the caller wants {drink}") for drink in ("tea", "coffee"))

    seen = RunComparison(a, b, IGNORED_BETWEEN_RUNS, 0)

    assert seen.sentence == (
        "A 2 turns, B 2 turns; first difference in turn 2 after “Desk”: "
        "the user says “the caller wants tea” in A, “the caller wants coffee” in B."
    )
    assert (seen.totals[0].turns, seen.totals[1].turns) == (2, 2)
    assert seen.paths.nodes["tea"].share == "only_a"
    assert seen.paths.nodes["coffee"].share == "only_b"
    assert seen.paths.nodes["desk"].share == "common"
    assert [line.status for line in seen.lines] == ["same", "changed", "changed"]
    assert seen.turns == [1, 2]
    assert seen.variables(1) == []
    assert seen.structure == []
    assert seen.graph.nodes.keys() == {"hi", "desk", "tea", "coffee"}


def test_the_same_input_twice_differs_in_nothing(backend):
    kept = backend.create_workflow(desk())
    a, b = (play(backend, kept.id, "the caller wants tea") for _ in range(2))

    seen = RunComparison(a, b, IGNORED_BETWEEN_RUNS, 0)

    assert seen.comparison.first is None
    assert {passage.share for passage in seen.paths.nodes.values()} == {"common"}


def test_versions_are_told_apart(backend):
    kept = backend.create_workflow(desk())
    backend.store.create_version(kept.id, document=desk("Sing."), mark_as_active=True)
    a, b = (play(backend, kept.id, version=number) for number in (0, 1))

    (change,) = RunComparison(a, b, IGNORED_BETWEEN_RUNS, 0).structure

    assert (change.name, [field.path for field in change.fields]) == ("Desk", ["main_response_config.prompt"])


def test_run_of_deleted_workflow_is_read(backend):
    kept = backend.create_workflow(desk())
    run_id = play(backend, kept.id, "the caller wants tea").run.workflow_run_id
    backend.delete_workflow(kept.id)

    found = load_run(backend, f" {run_id} ")

    assert "The workflow was deleted" in found.substitute_reason
    assert len(found.turns) == 2
    assert RunComparison(found, found, IGNORED_BETWEEN_RUNS, 0).paths.missing_nodes["tea"] == "Tea"


def test_invalid_and_unknown_ids_are_rejected(backend):
    with pytest.raises(InputError, match="nonsense"):
        load_run(backend, "nonsense")
    with pytest.raises(NotFoundError):
        load_run(backend, "665f0c2b9a3e4d5f6a7b8c90")
