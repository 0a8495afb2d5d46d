from __future__ import annotations

import pytest

from debugger.engine.outbound import OutboundCall
from debugger.engine.outbound.base import ClosedDoor


def test_nothing_gets_out_of_an_engine_that_was_given_no_door():
    call = OutboundCall("http", "read", "GET http://a/", {}, simulated=pytest.fail, live=pytest.fail)

    outcome = ClosedDoor().call(call, node_logical_id="a", timeout=5)

    assert outcome.how == "blocked"
    assert outcome.error == "GET http://a/ was not called: this engine has no way out."
