from __future__ import annotations

import pytest

from debugger.engine.models import Script
from debugger.engine.super_nodes import expand
from debugger.protocol.runs import TurnInput, TurnLog, turn_logs
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES, script_for
from tests.analysis.decisions.told import as_recorded, explained
from tests.samples.lab_call import DOCUMENT, calling
from tests.samples.test_clinic import call

CLINIC = Script.load(script_for("workflow_clinic_front_desk") or "")
LAB = Script.load(script_for("workflow_lab_results") or "")


@pytest.mark.parametrize("name", ["demo", *CLINIC.alternatives])
def test_every_edge_that_the_clinic_takes_is_the_one_that_the_rules_lead_to(name):
    messages = CLINIC.demo if name == "demo" else CLINIC.alternatives[name]
    workflow = Workflow.from_document(SAMPLES[-1].documents()[-1])
    _, events = call(messages, workflow)
    turns = [
        TurnLog(number, TurnInput.saying(text), as_recorded(told))
        for number, (text, told) in enumerate(zip((None, *messages), events, strict=True), 1)
    ]

    found = explained(workflow, turns)

    assert len(found) > len(messages) / 2
    assert all(each.is_known and each.agrees for each in found)
    assert all(sum(candidate.won for candidate in each.candidates) == 1 for each in found)


@pytest.mark.parametrize("name", ["demo", *LAB.alternatives])
def test_every_edge_that_the_laboratory_takes_is_the_one_that_the_rules_lead_to(name, tmp_path):
    messages = LAB.demo if name == "demo" else LAB.alternatives[name]
    with calling(tmp_path) as line:
        line.hold(messages)
        turns = turn_logs(line._backend.run(str(line.run_id)))

    found = explained(
        expand(Workflow.from_document(DOCUMENT), lambda *_: pytest.fail("nothing is stored")).workflow, turns
    )

    assert found
    assert all(each.agrees and (each.is_known or each.record.outcome == "beside") for each in found)


def test_without_what_a_super_node_stands_for_the_way_into_it_is_still_known(tmp_path):
    with calling(tmp_path) as line:
        line.hold(LAB.demo)
        turns = turn_logs(line._backend.run(str(line.run_id)))

    found = explained(Workflow.from_document(DOCUMENT), turns)

    entered = next(each for each in found if each.record.edge_id == "edge_follow_up")
    assert (entered.is_known, entered.agrees) == (True, True)
    assert [each.destination for each in entered.candidates if each.won] == ["node_book_follow_up"]
    inside = [each for each in found if "/" in (each.record.source or "")]
    assert inside
    assert all(not each.is_known and each.candidates == () for each in inside)
