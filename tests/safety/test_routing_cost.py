"""Attacks on the cost of routing: many edges with slow conditions."""

from __future__ import annotations

from debugger.expressions import limits
from tests.engine.test_interpreter import Play
from tests.safety.bounded_child import run_bounded
from tests.support.factories import static, when


def test_conditions_of_node_share_one_time_limit(monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVALUATION_SECONDS", 0.3)
    slow = " OR ".join([f"[[page{' | upcase | downcase' * 4} | size]] == 1"] * 2)
    edges = [when("a", "b", f"{slow} OR [[n]] == {number}", logical_id=f"e{number}") for number in range(200)]

    def attack():
        play = Play(static("a", "Hello."), static("b", "Bye."), *edges)
        types = play.turn(runtime_variables={"page": "é" * 150_000, "n": -1})
        return types[-3:], play.one("workflow_error")

    outcome = run_bounded(attack)

    assert "takes longer than 0.3 seconds to evaluate" in str(outcome.value[1])
    assert outcome.cpu_seconds < 2
