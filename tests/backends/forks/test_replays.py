from __future__ import annotations

import pytest

from debugger.analysis.comparison.comparison import compare_turns
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded.gateway_factory import GatewayFactory
from debugger.engine.environment import Environment
from debugger.engine.outbound.gateway import Policies
from debugger.errors import NotFoundError
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.settings import Settings
from tests.support.companions import lab
from tests.support.factories import direct, document, node, say

CLOCK = [1_750_000_000.0]


@pytest.fixture
def backend(tmp_path):
    opened = EmbeddedBackend(
        Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules", outbound_contact="live"),
        world=Environment(now=lambda: CLOCK[0]),
    )
    yield opened
    opened.close()


def run_of(backend, workflow, *says):
    kept = backend.create_workflow(workflow)
    run_id = backend.execute(kept.id, TurnInput.with_message(None)).finish().run_id
    for said in says:
        backend.execute(kept.id, TurnInput.with_message(said), run_id=run_id).finish()
    return kept.id, run_id


def turns(backend, run_id):
    return [log for log in turn_logs(backend.run(run_id)) if not log.is_background]


def test_background_work_takes_no_turn_number(backend):
    workflow_id, run_id = run_of(backend, lab(checks=50), "hello")
    CLOCK[0] += 5
    backend.pump(workflow_id, run_id).finish()
    backend.execute(workflow_id, TurnInput.with_message("again"), run_id=run_id).finish()
    pairs = len(backend.run(run_id).input_output_pairs)
    assert pairs > len(turns(backend, run_id)) == 3

    again = TurnLog(3, TurnInput(), backend.replay(run_id, 3))
    fork = backend.run(backend.fork(run_id, 3))

    assert [str(one) for one in compare_turns(turns(backend, run_id)[2], again).differences] == []
    assert len(fork.input_output_pairs) == pairs - 1


def test_replay_contacts_nobody_again(backend):
    sms = {"to_phone_number": "+15550100", "message": "Hi"}
    workflow = document(say("chat"), node("text", "send_sms", **sms), direct("chat", "text"))
    _, run_id = run_of(backend, workflow, "go")

    backend.replay(run_id, 2)

    assert (
        backend._replaying.get_or_make(backend.run(run_id).workflow_id, 0).open_gateway().policies.contact
        == "blocked"
    )


def test_missing_turn_cannot_be_replayed(backend):
    _, run_id = run_of(backend, document(say("chat")))

    with pytest.raises(NotFoundError):
        backend.replay(run_id, 2)
    with pytest.raises(NotFoundError, match="its turns, 1 to 2"):
        backend.replay(run_id, 5)


def test_replay_writes_nothing_and_reads_again():
    live = Settings(outbound_write="live", outbound_contact="simulated", outbound_read="live")

    policies = GatewayFactory(live, Environment()).for_turn(is_read_only=True)().policies

    assert policies == Policies(talk="live", read="live", write="blocked", contact="simulated")
