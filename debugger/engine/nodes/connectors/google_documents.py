"""The documents that a run has made up, and how a document is named (``platform/engine.md`` 2.12)."""

from __future__ import annotations

import re

from debugger.engine.nodes.base import NodeContext
from debugger.errors import InputError
from debugger.protocol.base import JsonObject

MEMORY = "_simulated_google_docs"
"""The variable of the run-wide memory that holds them, by id, as ``{"title", "content"}``.

A document that one node made can so be read by the next, in any thread and in any later turn of the run, and
is forgotten with the run. The underscore hides the name from ``[[ ]]`` (``platform/engine.md`` 5.2), since
the platform has no such variable; the state event shows it to people.
"""

_URL = re.compile(r"https?://docs\.google\.com/document/(?:u/\d+/)?d/([A-Za-z0-9_-]+)(?:[/?#].*)?")
_ID = re.compile(r"[A-Za-z0-9_-]+")


def document_id(text: str) -> str:
    """The id of a document that is named by its id or by its URL.

    Raises:
        InputError: It is neither.
    """
    match = _URL.fullmatch(text)
    if match:
        return match[1]
    if not _ID.fullmatch(text):
        found = f"is {text!r}, which is neither the id nor the URL of a document" if text else "is empty"
        raise InputError(
            f"document_id_or_url {found}.",
            advice="Write an id, or a URL such as https://docs.google.com/document/d/1a2B3c/edit.",
        )
    return text


def document_url(document: str) -> str:
    """Where a person opens a document, by its id."""
    return f"https://docs.google.com/document/d/{document}/edit"


def known_document(document: str, context: NodeContext) -> JsonObject:
    """Title and content of a document, by its id; made up where the run has not met it yet."""
    found = _memory(context).get(document)
    made_up = {"title": "Simulated document", "content": f"Simulated content of the document {document}.\n"}
    return {**made_up, **found} if isinstance(found, dict) else made_up


def remember_document(document: str, *, title: str, content: str, context: NodeContext) -> None:
    """Keep a document for the rest of the run."""
    kept = {document: {"title": title, "content": content}}
    # A new object each time: earlier state events hold the old one.
    context.state.workflow_variables[MEMORY] = {**_memory(context), **kept}


def _memory(context: NodeContext) -> JsonObject:
    found = context.state.workflow_variables.get(MEMORY)
    return found if isinstance(found, dict) else {}  # an initial state may hold anything


def with_text(content: str, text: str, index: int | None) -> str:
    """A content with a text put in; an index beyond its end means the end (`TextUpdateConfig`)."""
    place = len(content) if index is None else max(0, index - 1)
    return content[:place] + text + content[place:]


def full_model(document: str, title: str, content: str) -> JsonObject:
    """A document in the shape in which Google describes one: a paragraph a line."""
    paragraphs = [
        {"paragraph": {"elements": [{"textRun": {"content": line}}]}} for line in content.splitlines(True)
    ]
    return {"documentId": document, "title": title, "body": {"content": paragraphs}, "simulated": True}
