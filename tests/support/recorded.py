"""Gateways with recorded answers."""

from __future__ import annotations

from debugger.engine.mocks import RecordedAnswers
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.outbound import Gateway, RecordedAnswer
from debugger.engine.outbound.gateway import LiveGateway, Policies


def answering(policies: Policies, *answers: RecordedAnswer, win: bool = False) -> Gateway:
    """Return a gateway that answers simulated calls, as an interpreter makes it."""
    recorded = RecordedAnswers(answers, win=win)
    return Interceptor(recorded=recorded).guard(LiveGateway(policies))
