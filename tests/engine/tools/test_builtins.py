from __future__ import annotations

import re

import pytest

from debugger.engine.outbound import Gateway, RecordedAnswer
from debugger.engine.outbound.gateway import LiveGateway, Policies
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.engine.tools.builtins import InbuiltFunctionConfig, InbuiltFunctionTool
from debugger.errors import RunError
from debugger.expressions import Scope
from tests.support.recorded import answering

SMS = "communication_send_sms_twilio"


def tool(name: str | None, **fields: object) -> InbuiltFunctionTool:
    config = {"type": "inbuilt_function", "name": name, **fields}
    return InbuiltFunctionTool(InbuiltFunctionConfig.from_wire(config))


def context(gateway: Gateway | None = None) -> ToolContext:
    return ToolContext(scope=Scope(), timeout=5, outbound=gateway or LiveGateway(), node_logical_id="node_1")


def simulating(*answers: RecordedAnswer) -> Gateway:
    return answering(Policies(read="simulated", contact="simulated"), *answers)


@pytest.mark.parametrize(
    ("a", "b", "total"),
    [(2, 3, 5), ("41", "1", 42), (0.5, "1.5", 2.0), (-1, "2", 1)],
)
def test_math_add_adds_numbers_and_numeric_texts(a, b, total):
    assert tool("math_add").call({"a": a, "b": b}, context()) == ToolResult(success=True, result=total)


@pytest.mark.parametrize(
    ("a", "why"),
    [
        ("x", "'x' is not a number"),
        (True, "'True' is not a number"),
        ([1], "is not a number"),
        ("1e999", "the sum is inf"),
        ("nan", "the sum is nan"),
        (10**400, "too large"),
        ("9" * 9000, "the sum is inf"),
        (None, "a value for 'a'"),
    ],
)
def test_what_has_no_sum_is_a_failure(a, why):
    result = tool("math_add").call({"a": a, "b": 0.5}, context())

    assert not result.success
    assert why in str(result.error)


def test_unrepresentable_sum_is_a_failure():
    result = tool("math_add").call({"a": "9" * 30, "b": 1}, context())

    assert "more than 64 bits" in str(result.error)


def test_unknown_argument_is_a_failure():
    result = tool("math_add").call({"a": 1, "b": 2, "c": 3}, context())

    assert not result.success
    assert "no argument 'c'; it has 'a', 'b'" in str(result.error)


def test_message_is_a_contact_call():
    gateway = LiveGateway()

    result = tool(SMS).call({"message": "Hi", "phone_number": "+15550100"}, context(gateway))

    entry = gateway.ledger[0]
    assert not result.success
    assert "WORKFLOW_DEBUGGER_OUTBOUND_CONTACT=simulated" in str(result.error)
    assert (entry["kind"], entry["call_class"], entry["node_logical_id"]) == ("sms", "contact", "node_1")
    assert entry["request"] == {"message": "Hi", "phone_number": "+15550100"}


def test_default_answer_is_marked_simulated():
    arguments = {"message": "Hi", "phone_number": "+15550100"}

    assert tool(SMS).call(arguments, context(simulating())).result == {
        "simulated": True,
        "status": "simulated",
    }
    assert tool("web_search").call({"query": "x"}, context(simulating())).result["simulated"] is True
    assert tool("call_forward").call({}, context(simulating())).result["simulated"] is True


def test_recorded_answer_is_returned_unchanged():
    gateway = simulating(RecordedAnswer(re.compile("web_search"), body=[{"title": "Clinic"}]))

    result = tool("web_search").call({"query": "clinic"}, context(gateway))

    assert result == ToolResult(success=True, result=[{"title": "Clinic"}])


def test_only_the_platform_can_really_send():
    gateway = LiveGateway(Policies(contact="live"))

    result = tool(SMS).call({"message": "Hi", "phone_number": "+15550100"}, context(gateway))

    assert not result.success
    assert "only the platform" in str(result.error)


@pytest.mark.parametrize("arguments", [{"message": "Hi"}, {"message": "", "phone_number": "+15550100"}])
def test_incomplete_message_is_not_sent(arguments):
    gateway = simulating()

    result = tool(SMS).call(arguments, context(gateway))

    assert "needs a value for" in str(result.error)
    assert gateway.ledger == []


def test_unpublished_arguments_accept_anything():
    gateway = simulating()
    bound = {"argument_name": "department", "source": "literal", "literal_value": "billing"}

    tool("call_forward", variable_arguments=[bound]).call({"department": "billing"}, context(gateway))

    assert gateway.ledger[0]["request"] == {"department": "billing"}


def test_unknown_function_lists_known_ones():
    result = tool("calendar_lookup").call({}, context())

    assert not result.success
    assert "'calendar_lookup'" in str(result.error)
    for known in ("math_add", "web_search", "call_forward", "communication_send_sms_<suffix>", "about 23"):
        assert known in str(result.error)


def test_id_selects_the_function():
    assert tool("Adder", tool_id="math_add").call({"a": 1, "b": 1}, context()).result == 2
    assert tool("math_add", tool_id="665f1c2ab3d4e5f60718293a").call({"a": 1, "b": 1}, context()).result == 2
    assert not tool(None).call({}, context()).success


def test_model_sees_the_functions_arguments():
    own = tool(SMS).config
    written = tool(SMS, signature="Text them.", args_schema={"type": "object"}).config
    unknown = tool("calendar_lookup").config

    assert set(own.args_schema["properties"]) == {"message", "phone_number"}
    assert own.args_schema["required"] == ["message", "phone_number"]
    assert own.signature == "Send a text message to a phone number."
    assert (written.signature, written.args_schema) == ("Text them.", {"type": "object"})
    assert (unknown.signature, unknown.args_schema) == (None, None)


def test_what_only_the_platform_reads_is_kept():
    extra = {"warm_transfer_conversation_workflow_id": "665f1c2ab3d4e5f60718293a"}

    config = tool("call_forward", configurable_key="front_desk", extra_config=extra).config

    assert (config.configurable_key, config.extra_config) == ("front_desk", extra)


def test_unknown_bound_argument_is_rejected():
    bound = {"argument_name": "c", "source": "literal", "literal_value": 1}

    with pytest.raises(RunError, match="'c', which its function does not have; it has 'a', 'b'"):
        tool("math_add", variable_arguments=[bound])
    assert tool("calendar_lookup", variable_arguments=[bound])
