from __future__ import annotations

import json
from itertools import pairwise

import pytest

from debugger.engine.nodes.connectors.google_docs import MEMORY, GoogleDocsNode, document_id, insert_text
from debugger.engine.outbound.gateway import Policies
from debugger.errors import InputError
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import NodeConfig
from tests.support.connector_run import BLOCKED, ConnectorRun, answer
from tests.support.factories import direct, node, static

CREATE = {"type": "google_docs_create_document", "title": "Visit of [[who]]"}
GET = {"type": "google_docs_get_document", "document_id_or_url": "doc-1"}
UPDATE = {
    "type": "google_docs_update_document",
    "document_id_or_url": "https://docs.google.com/document/d/doc-1/edit#heading",
    "updates": {"type": "google_docs_update_with_text", "content": "Hello [[who]]"},
}
OPERATIONS = {operation["type"]: operation for operation in (CREATE, GET, UPDATE)}


def docs(node_id, operation, **fields):
    """A node that does an operation on a document."""
    return node(node_id, "google_docs", operate_document=operation, **fields)


def play(monkeypatch, *parts, **options):
    """A run of nodes one after the other; the last one speaks."""
    chain = [*parts, static("done", "Done.")]
    edges = [direct(a["logical_id"], b["logical_id"]) for a, b in pairwise(chain)]
    return ConnectorRun(monkeypatch, {"google_docs": GoogleDocsNode}, *chain, *edges, **options)


def test_created_document_has_id_url_and_title(monkeypatch):
    run, again = play(monkeypatch, docs("doc", CREATE)), play(monkeypatch, docs("doc", CREATE))

    run.turn(who="Ann")
    again.turn(who="Ann")

    told = run.one("google_docs_create_document")
    made_up = {"document_id": told["document_id"], "document_url": told["document_url"]}
    assert told["document_title"] == "Visit of Ann"
    assert told["document_url"] == f"https://docs.google.com/document/d/{told['document_id']}/edit"
    assert run.output == {"operate_document": {"type": "google_docs_create_document", **made_up}}
    assert run.variables == {
        "google_docs_result": {**made_up, "simulated": True},
        "google_docs_result_success": True,
        "google_docs_result_error": None,
    }
    assert again.output == run.output


def test_unknown_document_has_simulated_content(monkeypatch):
    run = play(monkeypatch, docs("doc", GET))

    run.turn()

    told = run.one("google_docs_get_document")
    assert (told["document_id"], told["document_content"]) == (
        "doc-1",
        "Simulated content of the document doc-1.\n",
    )
    assert run.output == {
        "operate_document": {
            "type": "google_docs_get_document",
            "document_content": told["document_content"],
        }
    }


def test_full_model_has_googles_shape(monkeypatch):
    run = play(monkeypatch, docs("doc", {**GET, "return_full_model": True}))

    run.turn()

    content = run.one("google_docs_get_document")["document_content"]
    (paragraph,) = content["body"]["content"]
    assert content["documentId"] == "doc-1"
    assert content["simulated"] is True
    assert paragraph["paragraph"]["elements"][0]["textRun"]["content"].startswith("Simulated content")


def test_update_reports_id_url_and_text(monkeypatch):
    run = play(monkeypatch, docs("doc", UPDATE))

    run.turn(who="Ann")

    told = run.one("google_docs_update_document")
    assert (told["document_id"], told["document_url"], told["updated_content"]) == (
        "doc-1",
        "https://docs.google.com/document/d/doc-1/edit",
        "Hello Ann",
    )
    assert run.output["operate_document"]["document_id"] == "doc-1"


def test_written_document_is_found_in_later_turns(monkeypatch):
    made = "[[google_docs_result.document_id]]"
    run = ConnectorRun(
        monkeypatch,
        {"google_docs": GoogleDocsNode},
        docs("create", CREATE),
        docs("write", {**UPDATE, "document_id_or_url": made}),
        docs(
            "front",
            {
                **UPDATE,
                "document_id_or_url": made,
                "updates": {"type": "google_docs_update_with_text", "content": "Oh! ", "insert_index": 1},
            },
        ),
        node("ask", "say_llm", self_loop=False),
        docs("read", {**GET, "document_id_or_url": made}),
        direct("create", "write"),
        direct("write", "front"),
        direct("front", "ask"),
        direct("ask", "read"),
    )

    run.turn(who="Ann")
    run.turn("go on")

    assert run.one("google_docs_get_document")["document_content"] == "Oh! Hello Ann"


def test_memory_is_per_run_and_hidden(monkeypatch):
    run = play(monkeypatch, docs("write", UPDATE))
    other = play(monkeypatch, docs("read", GET), static("peek", "[[_simulated_google_docs]]"))

    run.turn(who="Ann")
    other.turn()

    assert run.state.workflow_variables["_simulated_google_docs"]["doc-1"]["content"].endswith("Hello Ann")
    assert other.one("google_docs_get_document")["document_content"].startswith("Simulated content")
    assert other.all("assistant_response")[0]["content"] == "[[_simulated_google_docs]]"


def test_state_event_holds_earlier_documents(monkeypatch):
    again = {**UPDATE, "updates": {**UPDATE["updates"], "content": " and Bo"}}
    run = play(monkeypatch, docs("one", UPDATE), docs("two", again))

    run.turn(who="Ann")

    first = run.all("workflow_show_state")[0]["workflow_runtime_variables"]["_simulated_google_docs"]
    assert first["doc-1"]["content"].endswith("Hello Ann")


def test_foreign_initial_state_is_harmless(monkeypatch):
    run = play(monkeypatch, docs("make", CREATE), docs("read", GET))

    for odd in ("text", {"doc-1": 7}):
        run.state = run.interpreter.begin(
            TurnInput.with_message(None, initial_state={"workflow_runtime_variables": {MEMORY: odd}})
        )
        run.turn(who="Ann")

        assert run.one("google_docs_create_document")["status"] == "simulated"
        assert run.one("google_docs_get_document")["document_content"].startswith("Simulated content")


@pytest.mark.parametrize(
    ("kind", "call_class"),
    [
        ("google_docs_create_document", "write"),
        ("google_docs_get_document", "read"),
        ("google_docs_update_document", "write"),
    ],
)
def test_blocked_call_does_not_end_run(monkeypatch, kind, call_class):
    for policies in (BLOCKED, Policies(read="live", write="live")):
        run = play(monkeypatch, docs("doc", OPERATIONS[kind]), policies=policies)

        run.turn(who="Ann")

        assert run.one(kind)["status"] == "blocked"
        assert run.one(kind).get("document_url") is None or kind == "google_docs_update_document"
        assert set(run.output["operate_document"].values()) == {kind, None}
        assert run.variables["google_docs_result"] is None
        assert run.variables["google_docs_result_success"] is False
        assert "was not called" in run.variables["google_docs_result_error"]
        assert run.gateway.ledger[0]["call_class"] == call_class
        assert "_simulated_google_docs" not in run.state.workflow_variables
        assert run.one("assistant_response")["content"] == "Done."


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({**CREATE, "title": ""}, "title is empty"),
        ({**GET, "document_id_or_url": None}, "document_id_or_url is empty"),
        ({**GET, "document_id_or_url": "[[doc]]"}, "neither the id nor the URL"),
        ({**GET, "document_id_or_url": "https://example.com/document/d/1/"}, "neither the id nor the URL"),
        ({**UPDATE, "updates": {"type": "google_docs_update_with_text"}}, "updates.content is empty"),
    ],
)
def test_bad_field_fails_without_a_call(monkeypatch, operation, told):
    run = play(monkeypatch, docs("doc", operation))

    run.turn(who="Ann")

    assert run.one(operation["type"])["status"] == "failed"
    assert told in run.variables["google_docs_result_error"]
    assert run.gateway.ledger == []
    assert run.end.status == "completed"


@pytest.mark.parametrize(
    "fields",
    [
        {"operate_document": {"type": "google_docs_burn"}},
        {"operate_document": None},
        {"operate_document": {**UPDATE, "updates": {"type": "other"}}},
        {"operate_document": GET, "credentials": {"type": "password"}},
    ],
)
def test_malformed_config_is_rejected(fields):
    with pytest.raises(InputError, match="GoogleDocsConfig"):
        GoogleDocsNode(NodeConfig.from_wire(node("doc", "google_docs", **fields)))


@pytest.mark.parametrize(
    ("kind", "recorded", "expected"),
    [
        (
            "google_docs_create_document",
            {"body": {"document_id": "d9"}},
            {"document_id": "d9", "document_url": "https://docs.google.com/document/d/d9/edit"},
        ),
        ("google_docs_get_document", {"body": "Recorded."}, {"document_content": "Recorded."}),
        (
            "google_docs_get_document",
            {"body": {"document_content": ["a"], "x": 1}},
            {"document_content": ["a"]},
        ),
        (
            "google_docs_update_document",
            {"body": {"document_url": "https://d.example/1"}, "status": 201},
            {"document_id": "doc-1", "document_url": "https://d.example/1"},
        ),
        ("google_docs_get_document", {"status": 404}, None),
        ("google_docs_create_document", {"body": {"document_id": "d9"}, "status": 403}, None),
        ("google_docs_update_document", {"error": "unreachable"}, None),
    ],
)
def test_a_recorded_answer_decides_how_it_went(monkeypatch, kind, recorded, expected):
    run = play(monkeypatch, docs("doc", OPERATIONS[kind]), answers=(answer("Google Docs", **recorded),))

    run.turn(who="Ann")

    output = {key: value for key, value in run.output["operate_document"].items() if key != "type"}
    assert (output if any(output.values()) else None) == expected
    assert run.variables["google_docs_result_success"] is (expected is not None)
    assert run.one(kind)["status"] == ("simulated" if expected else "failed")


@pytest.mark.parametrize(
    "credentials",
    [
        {"type": "google_workspace_oauth2", "client_id": "hush-1", "client_secret": "hush-2"},
        {
            "type": "google_workspace_service_account",
            "private_key": "hush-3",
            "private_key_id": "hush-4",
            "service_account_email": "hush-5@example.com",
        },
        {"type": "google_workspace_api_key", "api_key": "hush-6"},
    ],
    ids=lambda credentials: credentials["type"],
)
def test_the_credentials_are_nowhere(monkeypatch, credentials):
    run = play(monkeypatch, docs("doc", CREATE, credentials=credentials))

    run.turn(who="Ann")

    built = GoogleDocsNode(run.interpreter.graph.node("doc"))
    seen = json.dumps([run.wire, run.gateway.ledger, run.variables, run.warnings]) + repr(built.config)
    assert "hush" not in seen


def test_operation_counts_as_tool_call(monkeypatch):
    run = play(monkeypatch, docs("doc", GET))

    run.turn()

    assert run.one("end_workflow_iteration")["iteration_metrics"]["tool_call_count"] == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1a-B_c", "1a-B_c"),
        ("https://docs.google.com/document/d/1aB/edit?tab=t.0#h", "1aB"),
        ("https://docs.google.com/document/u/0/d/1aB", "1aB"),
    ],
)
def test_document_is_named_by_id_or_url(written, expected):
    assert document_id(written) == expected


@pytest.mark.parametrize(
    ("index", "expected"), [(None, "abcX"), (0, "Xabc"), (1, "Xabc"), (3, "abXc"), (99, "abcX")]
)
def test_a_text_goes_where_google_counts_to(index, expected):
    assert insert_text("abc", "X", index) == expected
