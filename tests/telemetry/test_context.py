from __future__ import annotations

from contextvars import copy_context

import pytest

from debugger.telemetry.context import begin_request, begin_turn, outgoing_headers, request_id

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def headers_after(*sent):
    """Return the headers for another server within a request, in a context of their own."""

    def within():
        begin_request(*sent)
        return outgoing_headers()

    return copy_context().run(within)


def test_ids_of_client_are_kept():
    assert headers_after("deploy-7.a_b", PARENT) == {"x-request-id": "deploy-7.a_b", "traceparent": PARENT}


@pytest.mark.parametrize("sent", ["", "two words", "line\nbreak", "x" * 65, "-leading", "clé"])
def test_unusable_id_is_replaced(sent):
    made = headers_after(sent, "")["x-request-id"]

    assert len(made) == 32
    assert made != headers_after(sent, "")["x-request-id"]


@pytest.mark.parametrize(
    "sent",
    ["", "no", PARENT.upper(), PARENT.replace("-b7ad", "-"), PARENT + "x"],
)
def test_malformed_trace_is_ignored(sent):
    assert "traceparent" not in headers_after("id", sent)


def test_turn_keeps_id_of_request():
    def within(begin):
        begin()
        begin_turn()
        return request_id.get()

    assert copy_context().run(within, lambda: begin_request("mine", "")) == "mine"
    assert len(copy_context().run(within, lambda: None)) == 32
