"""The nodes that find, create and change patients of a health record system (``platform/engine.md`` 2.12)."""

from __future__ import annotations

from typing import ClassVar, Literal

from debugger.engine.nodes.connectors.athena import AthenaConfig, AthenaNode
from debugger.engine.nodes.connectors.base import fingerprint
from debugger.engine.nodes.connectors.fields import (
    check_birthdate,
    check_email,
    check_present,
    check_telephone,
)
from debugger.engine.outbound import CallClass
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig

GENDERS = ("", "Male", "Female", "Other", "Unknown")
"""The platform's list is closed; of its members only Male, Unknown and the empty one are public."""


class AthenaPatientsSearchConfig(AthenaConfig):
    """Whom to look for."""

    phone_number: str | None = None
    full_name: str | None = None
    birthdate: str | None = None


class AthenaPatientsSearchNode(AthenaNode[AthenaPatientsSearchConfig]):
    """Find patients by number, name or birthdate."""

    Config: ClassVar[type[NodeConfig]] = AthenaPatientsSearchConfig
    call_class: ClassVar[CallClass] = "read"
    texts: ClassVar[tuple[str, ...]] = ("phone_number", "full_name", "birthdate")

    def check(self, request: JsonObject) -> None:
        """At least one of the three is needed."""
        if not any(request[name] for name in self.texts):
            raise InputError(
                "phone_number, full_name and birthdate are empty.", advice="Fill at least one of them."
            )
        check_telephone(request["phone_number"], "phone_number")
        check_birthdate(request["birthdate"], "birthdate")

    def target(self, request: JsonObject) -> str:
        """What is looked for."""
        sought = ", ".join(request[name] for name in self.texts if request[name])
        return f"Athena search for the patient {sought}"

    def body(self, request: JsonObject) -> JsonObject:
        """One patient who fits."""
        first, _, last = (request["full_name"] or "Simulated Patient").partition(" ")
        patient = {
            "patient_id": _patient_id(first, last, request["birthdate"], request["phone_number"]),
            "first_name": first,
            "last_name": last,
            "phone_number": request["phone_number"],
            "birthdate": request["birthdate"],
        }
        return {"patients": [patient], "total_count": 1}


class AthenaPatientsCreateConfig(AthenaConfig):
    """Who the patient is."""

    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    birthdate: str | None = None
    gender: str | None = "Male"  # the platform's own default
    email: str | None = None
    notes: str | None = None
    mobile_number: str | None = None


_PERSON = (
    *("first_name", "last_name", "phone_number", "birthdate"),
    *("gender", "email", "notes", "mobile_number"),
)


class AthenaPatientsCreateNode(AthenaNode[AthenaPatientsCreateConfig]):
    """Create a patient."""

    Config: ClassVar[type[NodeConfig]] = AthenaPatientsCreateConfig
    call_class: ClassVar[CallClass] = "contact"
    texts: ClassVar[tuple[str, ...]] = _PERSON
    good_status: ClassVar[int] = 201

    def check(self, request: JsonObject) -> None:
        """Both names and the birthdate are needed."""
        for name in ("first_name", "last_name", "birthdate"):
            check_present(request[name], name)
        _check_person(request)

    def target(self, request: JsonObject) -> str:
        """Who is created."""
        return f"Athena creation of the patient {request['first_name']} {request['last_name']}"

    def body(self, request: JsonObject) -> JsonObject:
        """The patient with an id; the same person gets the same one, which a search finds as well."""
        first, last = request["first_name"], request["last_name"]
        patient_id = _patient_id(first, last, request["birthdate"], request["phone_number"])
        return {"patient_id": patient_id, **{name: request[name] for name in _PERSON}}


class AthenaPatientsUpdateConfig(AthenaPatientsCreateConfig):
    """Which patient, and what changes."""

    patient_id: str | int | None = None
    notes_action: Literal["append", "replace"] = "append"


class AthenaPatientsUpdateNode(AthenaNode[AthenaPatientsUpdateConfig]):
    """Change a patient."""

    Config: ClassVar[type[NodeConfig]] = AthenaPatientsUpdateConfig
    call_class: ClassVar[CallClass] = "contact"
    texts: ClassVar[tuple[str, ...]] = ("patient_id", *_PERSON, "notes_action")

    def check(self, request: JsonObject) -> None:
        """The patient's id is needed."""
        check_present(request["patient_id"], "patient_id")
        _check_person(request)

    def target(self, request: JsonObject) -> str:
        """Who is changed."""
        return f"Athena update of the patient {request['patient_id']}"

    def body(self, request: JsonObject) -> JsonObject:
        """The patient with what was sent."""
        sent = {name: request[name] for name in _PERSON if request[name]}
        told = {"notes_action": request["notes_action"]} if request["notes"] else {}
        return {"patient_id": request["patient_id"], **sent, **told}


def _check_person(request: JsonObject) -> None:
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
    """Seven digits, by name and birthdate; the number decides only where there is no birthdate."""
    name = f"{first} {last}".casefold()
    seed = fingerprint("patient", name, birthdate or phone_number)
    return str(1_000_000 + int(seed[:12], 16) % 9_000_000)
