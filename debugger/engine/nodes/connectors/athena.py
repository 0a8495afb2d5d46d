"""The nodes for a health record system: patients and appointments (``platform.md#connectors``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.connectors.base import (
    ConnectorNode,
    ConnectorResult,
    Fill,
    Operation,
    fingerprint,
)
from debugger.engine.nodes.connectors.fields import (
    check_birthdate,
    check_email,
    check_present,
    check_telephone,
    parse_moment,
)
from debugger.engine.outbound import CallClass
from debugger.errors import InputError
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.events import AthenaEvent
from debugger.protocol.workflow import NodeConfig

GENDERS = ("", "Male", "Female", "Other", "Unknown")
"""The platform's list is closed; of its members only Male, Unknown and the empty one are public."""

UseCase = Literal[
    "appointment_scheduling",
    "appointment_cancellation",
    "appointment_rescheduling",
    "appointment_scheduling_with_waitlist",
    "medication_refill",
    "invoice_billing",
]


class DayHours(WireModel):
    """The hours of one day's work."""

    start: str | None = None
    end: str | None = None


class WorkingHours(WireModel):
    """The hours of each day of the week, none left out."""

    monday: DayHours
    tuesday: DayHours
    wednesday: DayHours
    thursday: DayHours
    friday: DayHours
    saturday: DayHours
    sunday: DayHours


class AthenaConfig(NodeConfig):
    """The connection and the settings of the practice."""

    source_id: str | int | None = None
    department_id: int | None = None
    api_key: SecretStr | None = None
    timezone: str = "America/New_York"
    reminders: bool = False
    slotfill_outreach: bool = False
    working_hours: WorkingHours | None = None
    use_cases: list[UseCase] = Field(default_factory=list)


class AthenaPatientsSearchConfig(AthenaConfig):
    """The search terms."""

    phone_number: str | None = None
    full_name: str | None = None
    birthdate: str | None = None


class AthenaPatientsCreateConfig(AthenaConfig):
    """The fields of a patient."""

    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    birthdate: str | None = None
    gender: str | None = "Male"  # the platform's own default
    email: str | None = None
    notes: str | None = None
    mobile_number: str | None = None


class AthenaPatientsUpdateConfig(AthenaPatientsCreateConfig):
    """The patient and the fields to change."""

    patient_id: str | int | None = None
    notes_action: Literal["append", "replace"] = "append"


class AthenaAppointmentsCreateConfig(AthenaConfig):
    """The participants and the time of an appointment."""

    title: str | None = None
    patient_id: str | int | None = None
    practitioner_id: str | int | None = None
    start_time: str | None = None
    duration_in_minutes: int = 15


_SEARCH = ("phone_number", "full_name", "birthdate")
_PERSON = (
    *("first_name", "last_name", "phone_number", "birthdate"),
    *("gender", "email", "notes", "mobile_number"),
)


def _athena(
    call_class: CallClass,
    fields: tuple[str, ...],
    check: Callable[[JsonObject], None],
    target: Callable[[JsonObject], str],
    body: Callable[[JsonObject], JsonObject],
    *,
    numbers: tuple[str, ...] = (),
    status_code: int = 200,
) -> Operation:
    """Return an operation on the health record system.

    Args:
        call_class: What it does there.
        fields: The texts of the node's config that are sent.
        check: Raises an `InputError` for a faulty request.
        target: Describes a request for the user.
        body: Makes the simulated answer's body from a request.
        numbers: The numbers of the config that are sent.
        status_code: Of a simulated answer.
    """

    def request(config: AthenaConfig, context: NodeContext, fill: Fill) -> JsonObject:
        """Return the request with texts filled in and stripped; an absent one is empty.

        Numbers are sent as they are. Placeholders without a value are noted in the context.
        """

        def text(name: str) -> str:
            value = getattr(config, name)
            return "" if value is None else fill(str(value)).strip()

        sent = {name: text(name) for name in fields}
        place = {"source_id": text("source_id"), "department_id": config.department_id}
        return {
            **place,
            "timezone": text("timezone"),
            **sent,
            **{name: getattr(config, name) for name in numbers},
        }

    return Operation(
        kind="athena",
        service="The health record system",
        call_class=call_class,
        result_name="athena_result",
        not_done="no health record was read or changed",
        request=request,
        check=check,
        target=target,
        simulate=lambda request, context, node: {
            "status_code": status_code,
            "response": {**body(request), "simulated": True},
        },
        read=lambda body: {"response": body},
        event=_event,
        value=lambda request, answer: answer["response"],
        output=_output,
    )


def _event(request: JsonObject, result: ConnectorResult) -> AthenaEvent:
    return AthenaEvent(status_code=result.answer.get("status_code"), response_body=_response(result))


def _output(request: JsonObject, result: ConnectorResult) -> JsonObject:
    code = result.answer.get("status_code")
    return {"success": result.is_success, "status_code": code, "response": _response(result)}


def _response(result: ConnectorResult) -> Any:
    return result.answer["response"] if result.answer else {"error": result.error}


def _check_search(request: JsonObject) -> None:
    """Raise an `InputError` where no term is given, or number or birthdate is malformed.

    Terms that are empty count as not given.
    """
    if not any(request[name] for name in _SEARCH):
        raise InputError(
            "phone_number, full_name and birthdate are empty.", advice="Fill at least one of them."
        )
    check_telephone(request["phone_number"], "phone_number")
    check_birthdate(request["birthdate"], "birthdate")


def _search_body(request: JsonObject) -> JsonObject:
    """Return the list of the one simulated patient that is found; the id follows from the search terms.

    Without a full name the patient is called ``Simulated Patient``.
    """
    first, _, last = (request["full_name"] or "Simulated Patient").partition(" ")
    patient = {
        "patient_id": _patient_id(first, last, request["birthdate"], request["phone_number"]),
        "first_name": first,
        "last_name": last,
        "phone_number": request["phone_number"],
        "birthdate": request["birthdate"],
    }
    return {"patients": [patient], "total_count": 1}


def _new_patient_body(request: JsonObject) -> JsonObject:
    first, last = request["first_name"], request["last_name"]
    patient_id = _patient_id(first, last, request["birthdate"], request["phone_number"])
    return {"patient_id": patient_id, **{name: request[name] for name in _PERSON}}


def _update_body(request: JsonObject) -> JsonObject:
    sent = {name: request[name] for name in _PERSON if request[name]}
    action = {"notes_action": request["notes_action"]} if request["notes"] else {}
    return {"patient_id": request["patient_id"], **sent, **action}


def _check_appointment(request: JsonObject) -> None:
    """Raise an `InputError` where patient, practitioner, time or duration is missing or malformed.

    The duration may be from 1 to 1440 minutes.
    """
    check_present(request["patient_id"], "patient_id")
    check_present(request["practitioner_id"], "practitioner_id")
    parse_moment(request["start_time"], request["timezone"], "start_time")
    minutes = request["duration_in_minutes"]
    if not 1 <= minutes <= 1440:
        raise InputError(
            f"duration_in_minutes is {minutes}.", advice="Write a number of minutes from 1 to 1440."
        )


def _appointment_body(request: JsonObject) -> JsonObject:
    """Return the booked appointment with start and end; local times are in the practice's time zone.

    Its id follows from patient, practitioner and start.
    """
    start = parse_moment(request["start_time"], request["timezone"], "start_time")
    # Across a change of the clocks, too, which arithmetic with local times leaves out.
    end = (start.astimezone(UTC) + timedelta(minutes=request["duration_in_minutes"])).astimezone(start.tzinfo)
    return {
        "appointment_id": _number(
            "appointment", request["patient_id"], request["practitioner_id"], str(start)
        ),
        "title": request["title"],
        "patient_id": request["patient_id"],
        "practitioner_id": request["practitioner_id"],
        "start_time": start.isoformat(),
        "end_time": end.isoformat(),
        "duration_in_minutes": request["duration_in_minutes"],
        "status": "booked",
    }


def _check_person(request: JsonObject, *required: str) -> None:
    """Raise an `InputError` where a required field is blank or one of the patient's is malformed.

    Number, birthdate and e-mail may be empty; the gender has to be in the list.
    """
    for name in required:
        check_present(request[name], name)
    for name in ("phone_number", "mobile_number"):
        check_telephone(request[name], name)
    check_birthdate(request["birthdate"], "birthdate")
    check_email(request["email"], "email")
    if request["gender"] not in GENDERS:
        raise InputError(
            f"gender is {request['gender']!r}, which is not in the list.",
            advice=f"Write {', '.join(GENDERS[1:])}, or leave it empty.",
        )


def _patient_id(first: str, last: str, birthdate: str, phone_number: str) -> str:
    """Return an id by name and birthdate, which a search finds."""
    return _number("patient", f"{first} {last}".casefold(), birthdate or phone_number)


def _number(*parts: str) -> str:
    return str(1_000_000 + int(fingerprint(*parts)[:12], 16) % 9_000_000)


class AthenaNode(ConnectorNode[AthenaConfig]):
    """A node that writes the body of its answer, recorded ones unchanged."""

    operations: ClassVar[Mapping[str, Operation]] = {
        "athena_patients_search": _athena(
            "read",
            _SEARCH,
            _check_search,
            lambda sent: f"Athena search for the patient {', '.join(filter(None, map(sent.get, _SEARCH)))}",
            _search_body,
        ),
        "athena_patients_create": _athena(
            "contact",
            _PERSON,
            lambda sent: _check_person(sent, "first_name", "last_name", "birthdate"),
            "Athena creation of the patient {first_name} {last_name}".format_map,
            _new_patient_body,
            status_code=201,
        ),
        "athena_patients_update": _athena(
            "contact",
            ("patient_id", *_PERSON, "notes_action"),
            lambda sent: _check_person(sent, "patient_id"),
            "Athena update of the patient {patient_id}".format_map,
            _update_body,
        ),
        "athena_appointments_create": _athena(
            "contact",
            ("title", "patient_id", "practitioner_id", "start_time"),
            _check_appointment,
            "Athena appointment of the patient {patient_id} at {start_time}".format_map,
            _appointment_body,
            numbers=("duration_in_minutes",),
            status_code=201,
        ),
    }


class AthenaPatientsSearchNode(AthenaNode):
    """A node that finds patients by number, name or birthdate."""

    Config: ClassVar[type[NodeConfig]] = AthenaPatientsSearchConfig


class AthenaPatientsCreateNode(AthenaNode):
    """A node that creates a patient."""

    Config: ClassVar[type[NodeConfig]] = AthenaPatientsCreateConfig


class AthenaPatientsUpdateNode(AthenaNode):
    """A node that changes a patient."""

    Config: ClassVar[type[NodeConfig]] = AthenaPatientsUpdateConfig


class AthenaAppointmentsCreateNode(AthenaNode):
    """A node that books an appointment."""

    Config: ClassVar[type[NodeConfig]] = AthenaAppointmentsCreateConfig
