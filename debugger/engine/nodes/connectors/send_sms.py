"""The node that sends a text message (``platform.md#conversation-nodes``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.connectors.base import ConnectorNode, ConnectorResult, Fill, Operation
from debugger.engine.nodes.connectors.fields import check_e164, check_present
from debugger.protocol.base import JsonObject
from debugger.protocol.events import SendSmsEvent
from debugger.protocol.workflow import NodeConfig


class SendSmsConfig(NodeConfig):
    """The receiver and the text."""

    destination_phone_number: str | None = None
    message: str | None = None


def _request(config: SendSmsConfig, context: NodeContext, fill: Fill) -> JsonObject:
    """Return number and message, filled in; overrides of the turn's input replace the author's.

    What neither has is empty.
    """
    number = (
        context.node_input.get("override_destination_phone_number") or config.destination_phone_number or ""
    )
    message = context.node_input.get("override_message") or config.message or ""
    return {
        "destination_phone_number": fill(str(number)).strip(),
        "message": fill(str(message)),
    }


def _check(request: JsonObject) -> None:
    check_e164(request["destination_phone_number"], "destination_phone_number")
    check_present(request["message"], "message")


def _read(body: Any) -> JsonObject:
    answer = body if isinstance(body, dict) else {"status": body}
    status = answer.get("status")
    is_text = isinstance(status, str) and status
    return {"status": status if is_text else "simulated", "error": answer.get("error")}


def _event(request: JsonObject, result: ConnectorResult) -> SendSmsEvent:
    """Return the event of the message, whose text is ``None`` where the call failed."""
    return SendSmsEvent(
        status=result.status,
        sent_message=request["message"] if result.is_success else None,
        destination_phone_number=request["destination_phone_number"] or None,
    )


def _value(request: JsonObject, answer: JsonObject) -> JsonObject:
    """Return the value of the result variable: status, message and number, marked as simulated."""
    return {
        "status": answer["status"],
        "sent_message": request["message"],
        "destination_phone_number": request["destination_phone_number"],
        "simulated": True,
    }


def _output(request: JsonObject, result: ConnectorResult) -> JsonObject:
    sent = request["message"] if result.is_success else None
    return {"success": result.is_success, "sent_sms_message": sent}


class SendSmsNode(ConnectorNode[SendSmsConfig]):
    """A node that sends the message.

    A recorded body is a status, or an object with ``status`` and ``error``; ``failed`` is a failure.
    """

    Config: ClassVar[type[NodeConfig]] = SendSmsConfig
    operations: ClassVar[Mapping[str, Operation]] = {
        "send_sms": Operation(
            kind="sms",
            service="The service for messages",
            call_class="contact",
            result_name="send_sms_result",
            not_done="nobody was contacted",
            request=_request,
            check=_check,
            target="SMS to {destination_phone_number}".format_map,
            simulate=lambda request, context, node: {"status": "simulated"},
            read=_read,
            event=_event,
            value=_value,
            output=_output,
        )
    }
