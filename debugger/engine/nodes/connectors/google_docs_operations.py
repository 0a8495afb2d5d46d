"""The three operations on documents of Google Docs (``platform/engine.md`` 2.12)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.connectors.base import Attempt, ConnectorNode, fill_secretly, fingerprint, visit_of
from debugger.engine.nodes.connectors.fields import check_present
from debugger.engine.nodes.connectors.google_docs_config import (
    CreateDocumentConfig,
    GetDocumentConfig,
    GoogleDocsConfig,
    UpdateDocumentConfig,
)
from debugger.engine.nodes.connectors.google_documents import (
    document_id,
    document_url,
    full_model,
    known_document,
    remember_document,
    with_text,
)
from debugger.engine.outbound import CallClass, RecordedAnswer
from debugger.errors import InputError
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.events import (
    Event,
    GoogleDocsCreateDocumentEvent,
    GoogleDocsGetDocumentEvent,
    GoogleDocsUpdateDocumentEvent,
)
from debugger.protocol.workflow import NodeConfig

Written = TypeVar("Written", bound=WireModel)


class Operation(ConnectorNode[GoogleDocsConfig], Generic[Written]):
    """One operation; writes its output as ``google_docs_result``.

    A recorded answer is an object that has some of the keys of the output, or for reading any value: the
    content. A status code outside 200 to 299 is a failure.
    """

    Config: ClassVar[type[NodeConfig]] = GoogleDocsConfig
    kind: ClassVar[str] = "google_docs"
    result_name: ClassVar[str] = "google_docs_result"
    spared: ClassVar[str] = "no document of Google was read or changed"
    keys: ClassVar[tuple[str, ...]]
    """The keys of the output."""

    @property
    def written(self) -> Written:
        """What the author wrote about the operation."""
        return self.config.operate_document  # type: ignore[return-value]

    def problem(self, answer: JsonObject) -> str | None:
        """Its status code, where that means a failure."""
        code = self.status_of(answer)
        return None if 200 <= code < 300 else f"Google answered with the status {code}."

    def status_of(self, answer: JsonObject) -> int:
        """The status code."""
        code: int = answer["status_code"]
        return code

    def recorded(self, given: RecordedAnswer, request: JsonObject, context: NodeContext) -> JsonObject:
        """What was made up, with what was recorded in its place."""
        answer = {**self.made_up(request, context), **self.read(given.body)}
        return answer if given.status is None else {**answer, "status_code": given.status}

    @abstractmethod
    def read(self, body: Any) -> JsonObject:
        """The keys of an answer that a recorded body gives."""

    def result(self, request: JsonObject, answer: JsonObject) -> Any:
        """The output, labelled."""
        return {**{key: answer[key] for key in self.keys}, "simulated": True}

    def output(self, request: JsonObject, attempt: Attempt) -> JsonObject:
        """The operation's output inside the node's; null what there is none of."""
        own = {key: attempt.answer[key] if attempt.success else None for key in self.keys}
        return {"operate_document": {"type": self.config.operate_document.type, **own}}

    def _texts(self, context: NodeContext, *names: str) -> JsonObject:
        return {name: fill_secretly(getattr(self.written, name) or "", context).strip() for name in names}


class CreateDocument(Operation[CreateDocumentConfig]):
    """Create an empty document."""

    call_class: ClassVar[CallClass] = "write"
    keys: ClassVar[tuple[str, ...]] = ("document_id", "document_url")

    def request(self, context: NodeContext) -> JsonObject:
        """Title, drive and folder."""
        return self._texts(context, "title", "drive_name_or_id", "folder_name_or_id")

    def check(self, request: JsonObject) -> None:
        """It needs a title."""
        check_present(request["title"], "title")

    def target(self, request: JsonObject) -> str:
        """The title."""
        return f"Google Docs creation of the document {request['title']!r}"

    def made_up(self, request: JsonObject, context: NodeContext) -> JsonObject:
        """Another id for each run of the node, as Google gives one to each document."""
        visit = visit_of(context, self.config)
        seed = fingerprint("document", request, self.config.logical_id, context.thread.thread_id, visit)
        document = f"1{seed[:43]}"
        return {
            "status_code": 200,
            "document_id": document,
            "document_url": document_url(document),
            "title": request["title"],
        }

    def read(self, body: Any) -> JsonObject:
        """Id and URL; the URL follows from the id."""
        found = _texts_of(body, self.keys)
        url = document_url(found["document_id"]) if "document_id" in found else None
        return {"document_url": url, **found} if url else found

    def remember(self, answer: JsonObject, context: NodeContext) -> None:
        """Keep the empty document."""
        remember_document(answer["document_id"], title=answer["title"], content="", context=context)

    def event(self, request: JsonObject, attempt: Attempt) -> Event:
        """Id, URL and title."""
        made = attempt.answer if attempt.success else {}
        return GoogleDocsCreateDocumentEvent(
            status=attempt.status,
            document_id=made.get("document_id"),
            document_url=made.get("document_url"),
            document_title=request["title"] or None,
        )


class GetDocument(Operation[GetDocumentConfig]):
    """Read a document."""

    call_class: ClassVar[CallClass] = "read"
    keys: ClassVar[tuple[str, ...]] = ("document_content",)

    def request(self, context: NodeContext) -> JsonObject:
        """Which document, and how it is described."""
        texts = self._texts(context, "document_id_or_url")
        return {**texts, "return_full_model": self.written.return_full_model}

    def check(self, request: JsonObject) -> None:
        """It must be named by its id or its URL."""
        document_id(request["document_id_or_url"])

    def target(self, request: JsonObject) -> str:
        """The id."""
        return f"Google Docs reading of the document {document_id(request['document_id_or_url'])}"

    def made_up(self, request: JsonObject, context: NodeContext) -> JsonObject:
        """What the run has put into the document, or a line that says that it is made up."""
        document = document_id(request["document_id_or_url"])
        known = known_document(document, context)
        full = request["return_full_model"]
        content = full_model(document, known["title"], known["content"]) if full else known["content"]
        return {"status_code": 200, "document_content": content}

    def read(self, body: Any) -> JsonObject:
        """The content: under its key, else the whole."""
        if body is None:
            return {}
        named = isinstance(body, dict) and "document_content" in body
        return {"document_content": body["document_content"] if named else body}

    def event(self, request: JsonObject, attempt: Attempt) -> Event:
        """Id and content."""
        return GoogleDocsGetDocumentEvent(
            status=attempt.status,
            document_id=_known_id(request),
            document_content=attempt.answer.get("document_content") if attempt.success else None,
        )


class UpdateDocument(Operation[UpdateDocumentConfig]):
    """Put a text into a document."""

    call_class: ClassVar[CallClass] = "write"
    keys: ClassVar[tuple[str, ...]] = ("document_id", "document_url")

    def request(self, context: NodeContext) -> JsonObject:
        """Which document, what is put in, and where."""
        updates = self.written.updates
        return {
            **self._texts(context, "document_id_or_url"),
            "content": fill_secretly(updates.content or "", context),
            "insert_index": updates.insert_index,
        }

    def check(self, request: JsonObject) -> None:
        """The document must be named by its id or its URL, and there must be a text."""
        document_id(request["document_id_or_url"])
        if not request["content"]:
            raise InputError("updates.content is empty.", advice="Write the text to put into the document.")

    def target(self, request: JsonObject) -> str:
        """The id."""
        return f"Google Docs update of the document {document_id(request['document_id_or_url'])}"

    def made_up(self, request: JsonObject, context: NodeContext) -> JsonObject:
        """The document with the text in it."""
        document = document_id(request["document_id_or_url"])
        known = known_document(document, context)
        return {
            "status_code": 200,
            "document_id": document,
            "document_url": document_url(document),
            "title": known["title"],
            "content": with_text(known["content"], request["content"], request["insert_index"]),
        }

    def read(self, body: Any) -> JsonObject:
        """Id and URL."""
        return _texts_of(body, self.keys)

    def remember(self, answer: JsonObject, context: NodeContext) -> None:
        """Keep the changed document."""
        title, content = answer["title"], answer["content"]
        remember_document(answer["document_id"], title=title, content=content, context=context)

    def event(self, request: JsonObject, attempt: Attempt) -> Event:
        """Id, URL and the text that was put in."""
        document = _known_id(request)
        return GoogleDocsUpdateDocumentEvent(
            status=attempt.status,
            document_id=document,
            document_url=document_url(document) if document else None,
            updated_content=request["content"] if attempt.success else None,
        )


def _known_id(request: JsonObject) -> str | None:
    try:
        return document_id(request["document_id_or_url"])
    except InputError:
        return None


def _texts_of(body: Any, keys: tuple[str, ...]) -> JsonObject:
    return {key: body[key] for key in keys if isinstance(body, dict) and isinstance(body.get(key), str)}
