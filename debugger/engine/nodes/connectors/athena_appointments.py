"""The node that books an appointment in a health record system (``platform/engine.md`` 2.12)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.connectors.athena import AthenaConfig, AthenaNode
from debugger.engine.nodes.connectors.base import fingerprint
from debugger.engine.nodes.connectors.fields import check_present, moment_of
from debugger.engine.outbound import CallClass
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig


class AthenaAppointmentsCreateConfig(AthenaConfig):
    """Who meets whom, when, and for how long."""

    title: str | None = None
    patient_id: str | int | None = None
    practitioner_id: str | int | None = None
    start_time: str | None = None
    duration_in_minutes: int = 15


class AthenaAppointmentsCreateNode(AthenaNode[AthenaAppointmentsCreateConfig]):
    """Book the appointment."""

    Config: ClassVar[type[NodeConfig]] = AthenaAppointmentsCreateConfig
    call_class: ClassVar[CallClass] = "contact"
    texts: ClassVar[tuple[str, ...]] = ("title", "patient_id", "practitioner_id", "start_time")
    good_status: ClassVar[int] = 201

    def request(self, context: NodeContext) -> JsonObject:
        """Also how long it takes."""
        return {**super().request(context), "duration_in_minutes": self.config.duration_in_minutes}

    def check(self, request: JsonObject) -> None:
        """Patient, practitioner and time are needed."""
        check_present(request["patient_id"], "patient_id")
        check_present(request["practitioner_id"], "practitioner_id")
        moment_of(request["start_time"], request["timezone"], "start_time")
        minutes = request["duration_in_minutes"]
        if not 1 <= minutes <= 1440:
            raise InputError(
                f"duration_in_minutes is {minutes}.", advice="Write a number of minutes from 1 to 1440."
            )

    def target(self, request: JsonObject) -> str:
        """Who, and when."""
        return f"Athena appointment of the patient {request['patient_id']} at {request['start_time']}"

    def body(self, request: JsonObject) -> JsonObject:
        """The booked appointment; times in the time zone of the practice unless they had an offset."""
        begins = moment_of(request["start_time"], request["timezone"], "start_time")
        ends = begins + timedelta(minutes=request["duration_in_minutes"])
        seed = fingerprint("appointment", request["patient_id"], request["practitioner_id"], str(begins))
        return {
            "appointment_id": str(1_000_000 + int(seed[:12], 16) % 9_000_000),
            "title": request["title"],
            "patient_id": request["patient_id"],
            "practitioner_id": request["practitioner_id"],
            "start_time": begins.isoformat(),
            "end_time": ends.isoformat(),
            "duration_in_minutes": request["duration_in_minutes"],
            "status": "booked",
        }
