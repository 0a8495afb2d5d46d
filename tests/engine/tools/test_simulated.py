from __future__ import annotations

import re

import pytest

from debugger.engine.outbound import OutboundError, RecordedAnswer
from debugger.engine.tools.simulated import simulated

ANY = re.compile("")


def test_a_made_up_answer_says_so():
    assert simulated(None, {"status": "sent"}) == {"simulated": True, "status": "sent"}


@pytest.mark.parametrize("status", [None, 200, 299])
def test_what_was_recorded_is_the_answer(status):
    assert simulated(RecordedAnswer(ANY, status=status, body=[1]), {"status": "sent"}) == [1]


@pytest.mark.parametrize("status", [199, 300, 503])
def test_a_recorded_failure_fails_the_call(status):
    with pytest.raises(OutboundError, match=f"status {status}"):
        simulated(RecordedAnswer(ANY, status=status), {})
