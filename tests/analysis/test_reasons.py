from __future__ import annotations

from debugger.analysis.timeline import Reasons, timeline
from debugger.analysis.transcript import RunFacts, transcript
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog

PLACE = {"origin_node_logical_id": "save", "origin_node_name": "Save", "origin_node_run_id": "1"}
CALL = parse_event({"type": "http_request", **PLACE, "error": "POST x was not called."})


def ended(success=False, run="1", **output):
    """The end of a node run."""
    told = {"type": "http_request", "success": success, **output}
    return parse_event({"type": "end_node_run", **PLACE, "origin_node_run_id": run, "run_output": told})


def learned(*events):
    reasons = Reasons()
    for event in events:
        reasons.learn(event)
    return reasons


def test_a_call_that_went_wrong_tells_why_its_node_run_failed():
    reasons = learned(CALL)

    assert reasons.of(ended()) == "POST x was not called."
    assert reasons.summary(ended()) == "Save failed: POST x was not called."


def test_what_the_end_itself_tells_comes_first():
    assert learned(CALL).of(ended(error_message="boom")) == "boom"


def test_another_run_of_the_node_and_one_that_went_well_are_not_blamed():
    reasons = learned(CALL)

    assert reasons.of(ended(run="2")) is None
    assert reasons.summary(ended(run="2")) == ended(run="2").summary
    assert reasons.summary(ended(success=True)) == "Save ends"


def test_timeline_and_transcript_tell_the_reason():
    turns = [TurnLog(1, TurnInput(), [CALL, ended()])]

    rows = timeline(turns)
    lines = transcript(RunFacts("run"), turns, None)

    assert rows[1].summary == "Save failed: POST x was not called."
    assert (lines[0].error_type, lines[0].error_message) == ("node_failure", "POST x was not called.")
