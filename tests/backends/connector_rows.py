"""Expected results of the nodes that call services, as rows of data."""

from __future__ import annotations

from typing import Any

from tests.support.factories import Json, node

NUMBER = "+14155550123"
DOCUMENT = "https://docs.google.com/document/d/doc-1/edit"
ANN = {"first_name": "Ann", "last_name": "Lee", "phone_number": NUMBER, "birthdate": "1980-12-31"}
SIMULATED = "was simulated; no health record was read or changed."


def outcome(name: str, value: Any) -> Json:
    """The variables of a success."""
    return {name: value, f"{name}_success": True, f"{name}_error": None}


def athena(kind: str, body: Json, code: int, warning: str, **fields: Any) -> tuple[Json, Json, list[Any]]:
    body = {**body, "simulated": True}
    return (
        node("n", kind, **fields),
        {},
        [
            ("start_node_run", None),
            ("athena", {"status_code": code, "response_body": body}),
            ("workflow_warning", {"warning_message": f"The Athena {warning} {SIMULATED}"}),
            ("end_node_run", {"success": True, "status_code": code, "response": body}),
            ("workflow_show_state", outcome("athena_result", body)),
        ],
    )


def docs(operation: Json, event: Json, output: Json) -> tuple[Json, Json, list[Any]]:
    what = {"create": "creation of the document 'Visit'", "get_do": "reading of the document doc-1"}
    done = what.get(operation["type"][12:18], "update of the document doc-1")
    return (
        node("n", "google_docs", operate_document=operation),
        {},
        [
            ("start_node_run", None),
            (operation["type"], {"status": "simulated", **event}),
            (
                "workflow_warning",
                {
                    "warning_message": f"The Google Docs {done} was simulated; no document of Google was "
                    "read or changed."
                },
            ),
            ("end_node_run", {"operate_document": {"type": operation["type"], **output}}),
            ("workflow_show_state", outcome("google_docs_result", {**output, "simulated": True})),
        ],
    )


CONNECTORS: dict[str, tuple[Json, Json, list[Any]]] = {
    "start_conversation": (
        node(
            "n",
            "start_conversation",
            is_voice_conversation=True,
            user_number=NUMBER,
            assistant_id="a1",
            polling_interval_seconds=0,
        ),
        {},
        [
            ("start_node_run", None),
            ("start_conversation", {"conversation_status": "initiated", "conversation_id": "call"}),
            ("start_conversation", {"conversation_status": "in-progress", "conversation_id": "call"}),
            ("start_conversation", {"conversation_status": "completed", "conversation_id": "call"}),
            (
                "workflow_warning",
                {"warning_message": f"The voice call to {NUMBER} was simulated; nobody was called."},
            ),
            ("end_node_run", {"conversation_id": "call"}),
            (
                "workflow_show_state",
                outcome(
                    "start_conversation_result",
                    {"conversation_id": "call", "conversation_status": "completed", "simulated": True},
                ),
            ),
        ],
    ),
    "end_conversation": (
        node("n", "end_conversation"),
        {"runtime_variables": {"raw_conversation_transcript": "User: Hi"}},
        [
            ("start_node_run", None),
            ("end_conversation", {"processed_transcript": "User: Hi"}),
            ("end_node_run", {}),
            ("workflow_show_state", outcome("processed_transcript", "User: Hi")),
        ],
    ),
    "send_sms": (
        node("n", "send_sms", destination_phone_number=NUMBER, message="Hi"),
        {},
        [
            ("start_node_run", None),
            (
                "send_sms",
                {"status": "simulated", "sent_message": "Hi", "destination_phone_number": NUMBER},
            ),
            (
                "workflow_warning",
                {"warning_message": f"The SMS to {NUMBER} was simulated; nobody was contacted."},
            ),
            ("end_node_run", {"success": True, "sent_sms_message": "Hi"}),
            (
                "workflow_show_state",
                outcome(
                    "send_sms_result",
                    {
                        "status": "simulated",
                        "sent_message": "Hi",
                        "destination_phone_number": NUMBER,
                        "simulated": True,
                    },
                ),
            ),
        ],
    ),
    "google_docs create": docs(
        {"type": "google_docs_create_document", "title": "Visit"},
        {"document_id": "made", "document_url": "made", "document_title": "Visit"},
        {"document_id": "made", "document_url": "made"},
    ),
    "google_docs get": docs(
        {"type": "google_docs_get_document", "document_id_or_url": "doc-1"},
        {"document_id": "doc-1", "document_content": "Simulated content of the document doc-1.\n"},
        {"document_content": "Simulated content of the document doc-1.\n"},
    ),
    "google_docs update": docs(
        {
            "type": "google_docs_update_document",
            "document_id_or_url": "doc-1",
            "updates": {"type": "google_docs_update_with_text", "content": "More"},
        },
        {"document_id": "doc-1", "document_url": DOCUMENT, "updated_content": "More"},
        {"document_id": "doc-1", "document_url": DOCUMENT},
    ),
    "athena_patients_search": athena(
        "athena_patients_search",
        {"patients": "made", "total_count": 1},
        200,
        "search for the patient Ann Lee, 1980-12-31",
        full_name="Ann Lee",
        birthdate="1980-12-31",
    ),
    "athena_patients_create": athena(
        "athena_patients_create",
        {"patient_id": "made", **ANN, "gender": "Male", "email": "", "notes": "", "mobile_number": ""},
        201,
        "creation of the patient Ann Lee",
        **ANN,
    ),
    "athena_patients_update": athena(
        "athena_patients_update",
        {"patient_id": "77", "gender": "Male", "notes": "Called.", "notes_action": "append"},
        200,
        "update of the patient 77",
        patient_id="77",
        notes="Called.",
    ),
    "athena_appointments_create": athena(
        "athena_appointments_create",
        {
            "appointment_id": "made",
            "title": "Check",
            "patient_id": "77",
            "practitioner_id": "9",
            "start_time": "2026-07-14T09:30:00-04:00",
            "end_time": "2026-07-14T09:45:00-04:00",
            "duration_in_minutes": 15,
            "status": "booked",
        },
        201,
        "appointment of the patient 77 at 2026-07-14T09:30",
        title="Check",
        patient_id="77",
        practitioner_id="9",
        start_time="2026-07-14T09:30",
    ),
}
