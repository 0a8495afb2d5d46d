"""What the nodes for a health record system have in common (``platform/engine.md`` 2.12)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, SecretStr

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.connectors.base import Attempt, ConnectorNode, fill_secretly
from debugger.engine.outbound import RecordedAnswer
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.events import AthenaEvent, Event
from debugger.protocol.workflow import NodeConfig

UseCase = Literal[
    "appointment_scheduling",
    "appointment_cancellation",
    "appointment_rescheduling",
    "appointment_scheduling_with_waitlist",
    "medication_refill",
    "invoice_billing",
]


class DayHours(WireModel):
    """When a day's work begins and ends."""

    start: str | None = None
    end: str | None = None


class WorkingHours(WireModel):
    """The hours of each day of the week; none may be left out."""

    monday: DayHours
    tuesday: DayHours
    wednesday: DayHours
    thursday: DayHours
    friday: DayHours
    saturday: DayHours
    sunday: DayHours


class AthenaConfig(NodeConfig):
    """The connection, and what the practice wants."""

    source_id: str | int | None = None
    department_id: int | None = None
    api_key: SecretStr | None = None
    timezone: str = "America/New_York"
    reminders: bool = False
    slotfill_outreach: bool = False
    working_hours: WorkingHours | None = None
    use_cases: list[UseCase] = Field(default_factory=list)


Config = TypeVar("Config", bound=AthenaConfig)


class AthenaNode(ConnectorNode[Config]):
    """Make one call and write the body of its answer as ``athena_result``.

    The body of a recorded answer is taken as it is. A status code outside 200 to 299 is a failure.
    """

    kind: ClassVar[str] = "athena"
    result_name: ClassVar[str] = "athena_result"
    spared: ClassVar[str] = "no health record was read or changed"
    texts: ClassVar[tuple[str, ...]]
    """The fields of the node that are sent, variables filled in."""
    good_status: ClassVar[int] = 200

    def request(self, context: NodeContext) -> JsonObject:
        """The fields, and where the connection leads; without the key."""
        sent = {name: self._filled(name, context) for name in self.texts}
        place = {
            "source_id": self._filled("source_id", context),
            "department_id": self.config.department_id,
        }
        return {**place, "timezone": self._filled("timezone", context), **sent}

    def recorded(self, given: RecordedAnswer, request: JsonObject, context: NodeContext) -> JsonObject:
        """Body and status code as they were recorded."""
        code = self.good_status if given.status is None else given.status
        return {"status_code": code, "response": given.body}

    def problem(self, answer: JsonObject) -> str | None:
        """Its status code, where that means a failure."""
        code = self.status_of(answer)
        return None if 200 <= code < 300 else f"The health record system answered with the status {code}."

    def status_of(self, answer: JsonObject) -> int:
        """The status code."""
        code: int = answer["status_code"]
        return code

    def event(self, request: JsonObject, attempt: Attempt) -> Event:
        """Status code and body; where there was no answer the body holds the reason."""
        return AthenaEvent(
            status_code=attempt.answer.get("status_code"), response_body=self._response(attempt)
        )

    def result(self, request: JsonObject, answer: JsonObject) -> Any:
        """The body."""
        return answer["response"]

    def output(self, request: JsonObject, attempt: Attempt) -> JsonObject:
        """Whether it went well, status code and body."""
        code = attempt.answer.get("status_code")
        return {"success": attempt.success, "status_code": code, "response": self._response(attempt)}

    def made_up(self, request: JsonObject, context: NodeContext) -> JsonObject:
        """A good answer with a labelled body."""
        body = {**self.body(request), "simulated": True}
        return {"status_code": self.good_status, "response": body}

    @abstractmethod
    def body(self, request: JsonObject) -> JsonObject:
        """The body of a good answer, all of it following from the request."""

    def _filled(self, name: str, context: NodeContext) -> str:
        written = getattr(self.config, name)
        return "" if written is None else fill_secretly(str(written), context).strip()

    def _response(self, attempt: Attempt) -> Any:
        return attempt.answer["response"] if attempt.answer else {"error": attempt.error}
