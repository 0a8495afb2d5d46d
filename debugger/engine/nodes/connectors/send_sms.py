"""The node that sends a text message (``platform/engine.md`` 2.9)."""

from __future__ import annotations

from typing import Any, ClassVar

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.connectors.base import Attempt, ConnectorNode, fill_secretly
from debugger.engine.nodes.connectors.fields import check_e164, check_present
from debugger.engine.outbound import CallClass, RecordedAnswer
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, SendSmsEvent
from debugger.protocol.workflow import NodeConfig

_FAILURES = frozenset({"failed", "undelivered", "rejected", "error"})


class SendSmsConfig(NodeConfig):
    """To whom, and what."""

    destination_phone_number: str | None = None
    message: str | None = None


class SendSmsNode(ConnectorNode[SendSmsConfig]):
    """Send the message.

    Writes ``send_sms_result``: status, message and number. The body of a recorded answer is
    a status, or an object with ``status`` and ``error``; a status such as ``failed`` is a failure.
    """

    Config: ClassVar[type[NodeConfig]] = SendSmsConfig
    kind: ClassVar[str] = "sms"
    call_class: ClassVar[CallClass] = "contact"
    result_name: ClassVar[str] = "send_sms_result"
    spared: ClassVar[str] = "nobody was contacted"

    def request(self, context: NodeContext) -> JsonObject:
        """Number and message; the turn's input may have others than the author's."""
        number = context.given.get("override_destination_phone_number")
        message = context.given.get("override_message")
        return {
            "destination_phone_number": fill_secretly(
                str(number or self.config.destination_phone_number or ""), context
            ).strip(),
            "message": fill_secretly(str(message or self.config.message or ""), context),
        }

    def check(self, request: JsonObject) -> None:
        """The number must be in the format E.164, and the message must not be blank."""
        check_e164(request["destination_phone_number"], "destination_phone_number")
        check_present(request["message"], "message")

    def target(self, request: JsonObject) -> str:
        """The number."""
        return f"SMS to {request['destination_phone_number']}"

    def made_up(self, request: JsonObject, context: NodeContext) -> JsonObject:
        """The status says that it was not sent."""
        return {"status": "simulated"}

    def recorded(self, given: RecordedAnswer, request: JsonObject, context: NodeContext) -> JsonObject:
        """Take status, error and status code where there are any."""
        body = given.body if isinstance(given.body, dict) else {"status": given.body}
        status = body.get("status")
        return {
            "status": status if isinstance(status, str) and status else "simulated",
            "error": body.get("error"),
            "status_code": given.status,
        }

    def problem(self, answer: JsonObject) -> str | None:
        """Its error, or its status or status code where that means a failure."""
        if answer.get("error"):
            return str(answer["error"])
        code = self.status_of(answer)
        if code is not None and not 200 <= code < 300:
            return f"The service for messages answered with the status {code}."
        failed = answer["status"].lower() in _FAILURES
        return f"The message has the status {answer['status']!r}." if failed else None

    def status_of(self, answer: JsonObject) -> int | None:
        """The recorded status code."""
        return answer.get("status_code")

    def event(self, request: JsonObject, attempt: Attempt) -> Event:
        """Status, message and number; a message that was not sent is null."""
        return SendSmsEvent(
            status=attempt.status,
            sent_message=request["message"] if attempt.success else None,
            destination_phone_number=request["destination_phone_number"] or None,
        )

    def result(self, request: JsonObject, answer: JsonObject) -> Any:
        """What the event tells, labelled."""
        return {
            "status": answer["status"],
            "sent_message": request["message"],
            "destination_phone_number": request["destination_phone_number"],
            "simulated": True,
        }

    def output(self, request: JsonObject, attempt: Attempt) -> JsonObject:
        """Whether it was sent, and what."""
        sent = request["message"] if attempt.success else None
        return {"success": attempt.success, "sent_sms_message": sent}
