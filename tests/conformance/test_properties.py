"""Properties of every workflow: looking, storing, moving and repeating change nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.analysis.comparison.comparison import compare
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.recorded import RecordedBackend
from debugger.boundary import SECRETS_ONLY, Boundary, Kind, MaskingOptions
from debugger.exports.records import ExportedRun
from debugger.exports.run_files import build_run_file
from debugger.protocol.run_file import read_run_file, write_run_file
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.scenarios.loading import load_text
from debugger.scenarios.runner import ScenarioRunner
from debugger.session.fork_draft import ForkDraft
from debugger.session.forks import fork, fork_point
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.backends.one_turn import chance, open_backend
from tests.backends.test_generated_workflows import without_ids
from tests.support.factories import document, static
from tests.support.generated import generate, seeds
from tests.support.postgres import a_database, a_schema
from tests.support.scenarios import draft_of

FEW = seeds(6, 54)
SECONDS = 60.0


class Talk:
    """A session of a generated workflow, whose turns depend on the seed alone.

    Args:
        backend: Where it runs.
        seed: Of the workflow.
        is_still: Whether the clock stands still, and chance goes on from turn to turn as in a scenario.
    """

    def __init__(self, backend: EmbeddedBackend, seed: int, *, is_still: bool = False) -> None:
        made, self.texts = generate(seed)
        self.backend, self.seed, self.is_still = backend, seed, is_still
        if is_still:  # no scenario has the character 0 or halves of characters
            self.texts = [re.sub("[\0\ud800-\udfff]", "", text) for text in self.texts]
        backend._world.random.seed(0)
        self.session = DebugSession(backend, backend.create_workflow(made).id)
        self.began: dict[int, tuple[int, float]] = {}
        """By turn the number of what was said, and the time before it; a command may make no turn."""

    def say(self, number: int, kind: str = "") -> None:
        """Take a turn, in steps of a kind or without a pause."""
        session = self.session
        if not self.is_still:
            self.backend._world.random.seed(chance(self.seed, number))
            self.backend._world.now.__self__.seconds += 1000.0
        text, began = self.texts[number - 1], self.backend._world.now.__self__.seconds
        if kind:
            session.stepping.arm(kind)
        if text.startswith("/"):
            session.send_command(text[1:])
        else:
            session.send(text)
        assert session.wait_until_idle(SECONDS)
        while session.stop_point is not None:
            session.stepping.step(kind)
            assert session.wait_until_idle(SECONDS)
        session.stepping.disarm()
        turns = [log.number for log in session.turns if not log.is_background]
        if turns:
            self.began.setdefault(turns[-1], (number, began))


@contextmanager
def talking(
    folder: Path, seed: int, kind: str = "", url: str = "", *, is_still: bool = False
) -> Iterator[Talk]:
    folder.mkdir()
    with closing(open_backend(folder, 0, seed, look=0.0, url=url)) as backend:
        talk = Talk(backend, seed, is_still=is_still)
        for number in (1, 2, 3):
            if talk.session.is_over:
                break
            talk.say(number, kind)
        yield talk


def plain(turns: list[TurnLog]) -> list[Any]:
    return [(log.number, log.message, without_ids(list(log.events))) for log in turns]


@pytest.mark.parametrize("kind", ["event", "node", "turn"])
@pytest.mark.parametrize("seed", FEW)
def test_steps_give_the_events_of_a_run_without_a_pause(seed, kind, tmp_path):
    with talking(tmp_path / "whole", seed) as whole, talking(tmp_path / "stepped", seed, kind) as stepped:
        assert plain(stepped.session.turns) == plain(whole.session.turns)
        assert stepped.session.status == whole.session.status


@pytest.mark.parametrize("seed", FEW)
def test_fork_without_a_change_has_the_turns_of_its_run(seed, tmp_path):
    with talking(tmp_path / "run", seed) as talk:
        turns, backend = talk.session.turns, talk.backend
        for number, (said, began) in talk.began.items():
            backend._world.random.seed(chance(seed, said))
            backend._world.now.__self__.seconds = began

            forked, forward = fork(
                backend, ForkDraft.of(fork_point(talk.session, number)), backend.store.forks
            )
            forked.replay_inputs(forward)

            assert forward.wait(SECONDS)
            assert forked.error is None
            end = next(at for at, log in enumerate(turns) if log.number == number) + 1
            assert plain(forked.turns) == plain(turns[:end])


@pytest.mark.parametrize("seed", FEW)
def test_run_file_has_the_turns_of_its_run(seed, tmp_path):
    with talking(tmp_path / "run", seed) as talk:
        record = talk.backend.record(talk.session.run_id)
        file = build_run_file(ExportedRun(record, talk.session.workflow), Boundary(SECRETS_ONLY))

        opened = DebugSession.open(RecordedBackend(read_run_file(write_run_file(file))), talk.session.run_id)

        assert [log.events for log in opened.turns] == [log.events for log in talk.session.turns]
        assert opened.status == talk.session.status


@pytest.mark.parametrize("seed", FEW)
def test_sides_of_a_comparison_can_be_swapped(seed, tmp_path):
    with talking(tmp_path / "a", seed) as one, talking(tmp_path / "b", seed + 1) as other:
        there = compare(one.session.turns, other.session.turns)
        back = compare(other.session.turns, one.session.turns)

        swapped = {"only_a": "only_b", "only_b": "only_a"}
        turned = [(row.b, row.a, swapped.get(row.status, row.status)) for row in there.rows]
        assert sorted(turned, key=str) == sorted([(row.a, row.b, row.status) for row in back.rows], key=str)


@pytest.mark.parametrize("seed", FEW)
def test_masking_is_stable(seed, tmp_path):
    with talking(tmp_path / "run", seed) as talk:
        record = talk.backend.record(talk.session.run_id)
        once = build_run_file(ExportedRun(record, talk.session.workflow), Boundary(MaskingOptions())).run

        assert Boundary(MaskingOptions()).release(Kind.RECORD, once) == once


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with a_database() as name:
        yield name


@pytest.mark.parametrize("seed", FEW)
def test_databases_record_the_same(seed, postgres, tmp_path):
    with (
        a_schema(postgres) as url,
        talking(tmp_path / "sqlite", seed) as one,
        talking(tmp_path / "postgresql", seed, url=url) as other,
    ):
        recorded = [DebugSession.open(talk.backend, talk.session.run_id) for talk in (one, other)]

        assert plain(recorded[0].turns) == plain(recorded[1].turns) == plain(one.session.turns)
        assert recorded[0].status == recorded[1].status == one.session.status


@pytest.mark.parametrize("seed", FEW)
def test_scenario_saved_from_a_run_passes(seed, tmp_path):
    with talking(tmp_path / "run", seed, is_still=True) as talk:
        text = draft_of(talk.session, freezes_clock=True).text()

        with ScenarioRunner(lambda _: talk.backend, talk.backend.settings) as runner:
            (result,) = runner.run(load_text(text, tmp_path))

        failures = [check.text for each in result.repetitions for check in each.failures]
        assert (result.outcome, failures) == ("passed", []), text


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored_echo(request, tmp_path_factory, postgres) -> Iterator[tuple[EmbeddedBackend, str]]:
    """A backend with a workflow that only speaks."""
    with a_schema(postgres) as url:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('echo')}/runs.sqlite3"
        with closing(EmbeddedBackend(Settings(database=url, responder="rules"))) as backend:
            yield backend, backend.create_workflow(document(static("only", "Hello", is_start=True))).id


@given(value=JSON)
@settings(max_examples=60)
def test_any_json_survives_the_store(stored_echo, value):
    backend, workflow_id = stored_echo
    sent = TurnInput(dynamic_variables={"given": value}, miscellaneous={"noted": value})

    run_id = backend.execute(workflow_id, sent).finish().run_id

    (pair,) = backend.run(run_id).input_output_pairs
    stored = pair.run_input
    expected = json.loads(json.dumps(value))
    assert (stored["dynamic_variables"]["given"], stored["miscellaneous"]["noted"]) == (expected, expected)
