"""The node that creates, reads or changes a document of Google Docs.

Source: ``platform.md#connectors``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SecretStr

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.connectors.base import (
    ConnectorNode,
    ConnectorResult,
    Fill,
    Operation,
    fingerprint,
)
from debugger.engine.nodes.connectors.fields import check_present
from debugger.errors import InputError
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.events import (
    Event,
    GoogleDocsCreateDocumentEvent,
    GoogleDocsGetDocumentEvent,
    GoogleDocsUpdateDocumentEvent,
)
from debugger.protocol.workflow import NodeConfig

MEMORY = "_simulated_google_docs"
"""The variable of the run-wide memory with the run's documents, by id, as ``{"title", "content"}``.

So a document that one node created can be read by the next, in any thread and in any later turn of the run.
The underscore hides the name from ``[[ ]]`` (``platform.md#variable-precedence``), since the platform has
no such
variable; the state event shows it to the user.
"""

_URL = re.compile(r"https?://docs\.google\.com/document/(?:u/\d+/)?d/([A-Za-z0-9_-]+)(?:[/?#].*)?")
_ID = re.compile(r"[A-Za-z0-9_-]+")
_LOCATION = ("document_id", "document_url")


class OAuth2Credentials(WireModel):
    """Credentials of an application."""

    type: Literal["google_workspace_oauth2"]
    oauth_redirect_uri: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None


class ServiceAccountCredentials(WireModel):
    """Credentials of a service account, which may act for a person."""

    type: Literal["google_workspace_service_account"]
    service_account_email: str | None = None
    private_key_id: SecretStr | None = None
    private_key: SecretStr | None = None
    impersonation_email: str | None = None


class ApiKeyCredentials(WireModel):
    """A bare key."""

    type: Literal["google_workspace_api_key"]
    api_key: SecretStr | None = None


class CreateDocumentConfig(WireModel):
    """A new document and its place."""

    type: Literal["google_docs_create_document"]
    title: str | None = None
    drive_name_or_id: str | None = None
    folder_name_or_id: str | None = None


class GetDocumentConfig(WireModel):
    """A document to read."""

    type: Literal["google_docs_get_document"]
    document_id_or_url: str | None = None
    return_full_model: bool = False


class TextUpdateConfig(WireModel):
    """A text to put into a document."""

    type: Literal["google_docs_update_with_text"]
    content: str | None = None
    insert_index: int | None = Field(default=None, ge=0)
    """As Google counts: 1 is the beginning. ``None`` is the end."""


class UpdateDocumentConfig(WireModel):
    """A document to change."""

    type: Literal["google_docs_update_document"]
    document_id_or_url: str | None = None
    updates: TextUpdateConfig


class GoogleDocsConfig(NodeConfig):
    """The credentials and the operation."""

    credentials: (
        Annotated[
            OAuth2Credentials | ServiceAccountCredentials | ApiKeyCredentials, Field(discriminator="type")
        ]
        | None
    ) = Field(default=None, repr=False)
    operate_document: Annotated[
        CreateDocumentConfig | GetDocumentConfig | UpdateDocumentConfig, Field(discriminator="type")
    ]


def document_id(text: str) -> str:
    """Return the id of a document from its id or its URL.

    Raises:
        InputError: It is neither.
    """
    match = _URL.fullmatch(text)
    if match:
        return match[1]
    if not _ID.fullmatch(text):
        problem = f"is {text!r}, which is neither the id nor the URL of a document" if text else "is empty"
        raise InputError(
            f"document_id_or_url {problem}.",
            advice="Write an id, or a URL such as https://docs.google.com/document/d/1a2B3c/edit.",
        )
    return text


def insert_text(content: str, text: str, index: int | None) -> str:
    """Insert a text at an index; one beyond the end means it."""
    place = len(content) if index is None else max(0, index - 1)
    return content[:place] + text + content[place:]


def _document_url(document: str) -> str:
    return f"https://docs.google.com/document/d/{document}/edit"


def _documents(context: NodeContext) -> JsonObject:
    found = context.state.workflow_variables.get(MEMORY)
    return found if isinstance(found, dict) else {}  # an initial state may hold anything


def _load(document: str, context: NodeContext) -> JsonObject:
    """Return title and content of a document that may be simulated."""
    found = _documents(context).get(document)
    simulated = {"title": "Simulated document", "content": f"Simulated content of the document {document}.\n"}
    return {**simulated, **found} if isinstance(found, dict) else simulated


def _remember(answer: JsonObject, context: NodeContext) -> None:
    stored = {answer["document_id"]: {"title": answer["title"], "content": answer["content"]}}
    # A new object each time: earlier state events hold the old one.
    context.state.workflow_variables[MEMORY] = {**_documents(context), **stored}


def _texts(config: GoogleDocsConfig, fill: Fill, *names: str) -> JsonObject:
    operation = config.operate_document
    return {name: fill(getattr(operation, name) or "").strip() for name in names}


def _read_location(body: Any) -> JsonObject:
    return {key: body[key] for key in _LOCATION if isinstance(body, dict) and isinstance(body.get(key), str)}


def _id_or_none(request: JsonObject) -> str | None:
    try:
        return document_id(request["document_id_or_url"])
    except InputError:
        return None


def _simulate_create(request: JsonObject, context: NodeContext, node: NodeConfig) -> JsonObject:
    """Return the answer for a new empty document; its id follows from request, node, thread and visit."""
    visit = context.visit(node)
    seed = fingerprint("document", request, node.logical_id, context.thread.thread_id, visit)
    document = f"1{seed[:43]}"
    return {
        "status_code": 200,
        "document_id": document,
        "document_url": _document_url(document),
        "title": request["title"],
        "content": "",
    }


def _read_created(body: Any) -> JsonObject:
    """Return id and URL of a recorded body; the URL follows from the id where the body has none.

    A body that is no object gives nothing, nor does a value that is no text.
    """
    location = _read_location(body)
    if "document_id" not in location:
        return location
    return {"document_url": _document_url(location["document_id"]), **location}


def _created(request: JsonObject, result: ConnectorResult) -> Event:
    """Return the event of a created document; id and URL are ``None`` where it failed."""
    document = result.answer if result.is_success else {}
    return GoogleDocsCreateDocumentEvent(
        status=result.status,
        document_id=document.get("document_id"),
        document_url=document.get("document_url"),
        document_title=request["title"] or None,
    )


def _get_request(config: GoogleDocsConfig, context: NodeContext, fill: Fill) -> JsonObject:
    operation = config.operate_document
    assert isinstance(operation, GetDocumentConfig)
    texts = _texts(config, fill, "document_id_or_url")
    return {**texts, "return_full_model": operation.return_full_model}


def _simulate_get(request: JsonObject, context: NodeContext, node: NodeConfig) -> JsonObject:
    """Return the answer with a document's content, as text or as a model of paragraphs if wanted.

    A document that the run did not make has a simulated content.

    Raises:
        InputError: The id or URL is neither.
    """
    document = document_id(request["document_id_or_url"])
    stored = _load(document, context)
    content = stored["content"]
    if request["return_full_model"]:
        paragraphs = [
            {"paragraph": {"elements": [{"textRun": {"content": line}}]}} for line in content.splitlines(True)
        ]
        body = {"content": paragraphs}
        content = {"documentId": document, "title": stored["title"], "body": body, "simulated": True}
    return {"status_code": 200, "document_content": content}


def _read_content(body: Any) -> JsonObject:
    if body is None:
        return {}
    is_named = isinstance(body, dict) and "document_content" in body
    return {"document_content": body["document_content"] if is_named else body}


def _fetched(request: JsonObject, result: ConnectorResult) -> Event:
    """Return the event of a document that was read; the content is ``None`` where it failed.

    The id is ``None`` where the request names none.
    """
    return GoogleDocsGetDocumentEvent(
        status=result.status,
        document_id=_id_or_none(request),
        document_content=result.answer.get("document_content") if result.is_success else None,
    )


def _update_request(config: GoogleDocsConfig, context: NodeContext, fill: Fill) -> JsonObject:
    """Return the request of an update, variables and secrets filled in; what is missing is empty."""
    operation = config.operate_document
    assert isinstance(operation, UpdateDocumentConfig)
    return {
        **_texts(config, fill, "document_id_or_url"),
        "content": fill(operation.updates.content or ""),
        "insert_index": operation.updates.insert_index,
    }


def _check_update(request: JsonObject) -> None:
    document_id(request["document_id_or_url"])
    if not request["content"]:
        raise InputError("updates.content is empty.", advice="Write the text to put into the document.")


def _simulate_update(request: JsonObject, context: NodeContext, node: NodeConfig) -> JsonObject:
    """Return the answer of an update with the document's new content, which is not stored here.

    Raises:
        InputError: The id or URL is neither.
    """
    document = document_id(request["document_id_or_url"])
    stored = _load(document, context)
    return {
        "status_code": 200,
        "document_id": document,
        "document_url": _document_url(document),
        "title": stored["title"],
        "content": insert_text(stored["content"], request["content"], request["insert_index"]),
    }


def _updated(request: JsonObject, result: ConnectorResult) -> Event:
    """Return the event of an update; the content is ``None`` where it failed.

    Id and URL are ``None`` where the request names no document.
    """
    document = _id_or_none(request)
    return GoogleDocsUpdateDocumentEvent(
        status=result.status,
        document_id=document,
        document_url=_document_url(document) if document else None,
        updated_content=request["content"] if result.is_success else None,
    )


def _google_docs(type_: str, keys: tuple[str, ...], **row: Any) -> tuple[str, Operation]:
    """Return the type and the row of an operation, with its output's ``keys``.

    The keys are ``None`` in the output of a failed call; ``row`` has the fields of `Operation` that differ.
    """

    def output(request: JsonObject, result: ConnectorResult) -> JsonObject:
        """Return the output with the answer's values of the keys, of a failed call with ``None``."""
        own = {key: result.answer[key] if result.is_success else None for key in keys}
        return {"operate_document": {"type": type_, **own}}

    return type_, Operation(
        kind="google_docs",
        service="Google",
        result_name="google_docs_result",
        not_done="no document of Google was read or changed",
        value=lambda request, answer: {**{key: answer[key] for key in keys}, "simulated": True},
        output=output,
        **row,
    )


class GoogleDocsNode(ConnectorNode[GoogleDocsConfig]):
    """A node that does what ``operate_document`` says and writes the operation's output.

    A recorded body is an object with some of the output's keys, or for reading any value: the content.
    """

    Config: ClassVar[type[NodeConfig]] = GoogleDocsConfig
    operations: ClassVar[Mapping[str, Operation]] = dict(
        (
            _google_docs(
                "google_docs_create_document",
                _LOCATION,
                call_class="write",
                remember=_remember,
                request=lambda config, context, fill: _texts(
                    config, fill, "title", "drive_name_or_id", "folder_name_or_id"
                ),
                check=lambda request: check_present(request["title"], "title"),
                target="Google Docs creation of the document {title!r}".format_map,
                simulate=_simulate_create,
                read=_read_created,
                event=_created,
            ),
            _google_docs(
                "google_docs_get_document",
                ("document_content",),
                call_class="read",
                request=_get_request,
                check=lambda request: document_id(request["document_id_or_url"]),
                target=lambda request: (
                    f"Google Docs reading of the document {document_id(request['document_id_or_url'])}"
                ),
                simulate=_simulate_get,
                read=_read_content,
                event=_fetched,
            ),
            _google_docs(
                "google_docs_update_document",
                _LOCATION,
                call_class="write",
                remember=_remember,
                request=_update_request,
                check=_check_update,
                target=lambda request: (
                    f"Google Docs update of the document {document_id(request['document_id_or_url'])}"
                ),
                simulate=_simulate_update,
                read=_read_location,
                event=_updated,
            ),
        )
    )
