"""The tool that looks a question up in knowledge bases."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypedDict
from unicodedata import normalize

from pydantic import Field, ValidationInfo, field_validator

from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult, null_is_default
from debugger.engine.tools.documents import READERS, DocumentError, DocumentLimitError, passages, require_size
from debugger.errors import RunError
from debugger.protocol.base import JsonObject

PASSAGES = 5
"""How many a search gives at most."""

_RESULT = "kb_tool_result"
_SIGNATURE = "Look up passages in the knowledge base that help to answer the user's question."
_QUERY = "query"
_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        _QUERY: {"type": "string", "description": "What to look up, in plain words."},
        "justification": {"type": "string", "description": "Why this has to be looked up."},
    },
    "required": [_QUERY, "justification"],
}


MAX_DOCUMENTS = 2_000
MAX_BYTES = 20_000_000
"""Of all the documents that one search looks through."""
MAX_QUERY_WORDS = 1_000
"""The words after them are left out of a search."""
_MAX_INDICES = 4
"""Selections of knowledge bases in memory, for each folder."""
_SPACELESS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""The writing of Chinese and Japanese, which has no spaces between words: each character counts as one."""
_WORD = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+")
_ADVICE = "Search fewer knowledge bases, or move documents out."


class KnowledgeBaseConfig(ToolConfig):
    """The knowledge bases to search (``platform.md#tool-types``)."""

    category: str | None = "Knowledge Base"
    signature: str | None = _SIGNATURE
    args_schema: JsonObject | None = Field(default_factory=lambda: _SCHEMA)
    """The arguments of a model; the justification is for the record and does not reach the search."""
    result_runtime_variable_name: str = _RESULT
    target_knowledge_base_ids: list[str] = Field(default_factory=list)
    """All that there are, where it is empty."""

    _id_defaults = null_is_default("target_knowledge_base_ids")

    @field_validator("signature", "args_schema", "result_runtime_variable_name", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        field_info = cls.model_fields[str(info.field_name)]
        return value or field_info.get_default(call_default_factory=True)


class KnowledgeBaseTool(Tool):
    """A search for the passages that match a question best.

    Nothing leaves the machine: documents are searched in the folder of `EngineOptions.knowledge_folder`.

    Args:
        config: Which knowledge bases.

    Raises:
        RunError: The workflow sets an argument other than the query (10.2).

    Source: ``platform.md#tool-types``, U-55.
    """

    Config = KnowledgeBaseConfig
    config: KnowledgeBaseConfig

    def __init__(self, config: KnowledgeBaseConfig) -> None:
        """Check that the workflow sets no argument but the query.

        Raises:
            RunError: It sets another.
        """
        super().__init__(config)
        for bound in config.variable_arguments:
            if bound.argument_name != _QUERY:
                raise RunError(
                    f"The knowledge-base tool {config.name!r} sets the argument {bound.argument_name!r}; "
                    "only 'query' can be set.",
                    advice="Take it out of the tool's variable_arguments.",
                )

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Return the best `PASSAGES` passages for the query; errors are part of the result.

        It fails without a query, a folder of documents, or a knowledge base of the name.
        """
        query = arguments.get(_QUERY)
        if not isinstance(query, str) or not query.strip():
            return ToolResult.failure(
                "A knowledge base needs a query: the argument 'query' is missing or no text."
            )
        folder = context.options.knowledge_folder
        if folder is None:
            return ToolResult.failure(
                "This engine has no folder of documents for knowledge bases. "
                "Set WORKFLOW_DEBUGGER_KNOWLEDGE to one."
            )
        try:
            found = folder_search(folder).search(self.config.target_knowledge_base_ids, query, PASSAGES)
        except KnowledgeError as error:
            return ToolResult.failure(str(error))
        return ToolResult(success=True, result=found)

    def local_request(self, arguments: JsonObject, context: ToolContext) -> JsonObject:
        """Return the knowledge bases and the query."""
        return {"knowledge_bases": self.config.target_knowledge_base_ids, "query": arguments.get(_QUERY)}


class Passage(TypedDict):
    """A passage in a search result (U-55)."""

    text: str
    source: str
    """The document, as a path below the folder."""
    score: float
    """The score; higher is better, not comparable between searches."""


class KnowledgeError(Exception):
    """An error with the reason why a search is impossible, and advice."""


class _Document(NamedTuple):
    """A file with the size and time of its last change."""

    path: Path
    size: int
    changed: int
    """Nanoseconds since the epoch."""


class FolderSearch:
    """A search in a folder of knowledge bases: folders or single documents.

    Passages are ranked by the words they share with the question (BM25), in any case. Documents stay in
    memory until one is added, changed or removed. May be used by several threads at once.

    Args:
        folder: Where the documents are; hidden files and those of other kinds than `READERS` are passed over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._index = lru_cache(_MAX_INDICES)(lambda documents: _Index(folder.resolve(), documents))

    def search(self, kb_ids: Sequence[str], query: str, limit: int) -> list[Passage]:
        """Return the passages that match a question, best first; empty where no word is known.

        Args:
            kb_ids: The knowledge bases to search; all where it is empty.
            query: The question, in plain words.
            limit: The largest number of passages.

        Raises:
            KnowledgeError: The folder or a knowledge base is not there, leads out, is too large or cannot be
                read.
        """
        try:
            documents = self._documents(kb_ids)
            with self._lock:  # so that two threads do not build the same index
                index = self._index(documents)
            return index.best(query, limit)
        except OSError as error:
            raise KnowledgeError(f"The documents cannot be read: {error}.") from error

    def _documents(self, kb_ids: Sequence[str]) -> tuple[_Document, ...]:
        """Return the documents of knowledge bases, all without ids, each once and sorted by path.

        Raises:
            KnowledgeError: The folder or a knowledge base is not there, leads out, or is too large.
            OSError: A file cannot be examined.
        """
        root = self._folder.resolve()
        if not root.is_dir():
            raise KnowledgeError(
                f"There is no folder {str(self._folder)!r}, where the documents of knowledge bases are "
                f"expected. Make it and put documents in it ({', '.join(READERS)}), in a folder for each "
                "knowledge base."
            )
        places = [self._place(root, kb_id) for kb_id in kb_ids] or [root]
        paths = {path for place in places for path in _files(place)}
        found = tuple(_document(root, path) for path in sorted(paths))
        _check_bounds(found)
        return found

    def _place(self, root: Path, kb_id: str) -> Path:
        """Return the folder or document of a knowledge base, its suffix added where the id has none.

        Raises:
            KnowledgeError: The id is no path below the folder, leads out of it, or nothing is there.
        """
        candidates = [kb_id, *(kb_id + suffix for suffix in READERS)]
        if not kb_id.strip() or "\0" in kb_id or Path(kb_id).is_absolute() or ".." in Path(kb_id).parts:
            raise KnowledgeError(f"{kb_id!r} names no knowledge base: it is not a path below the folder.")
        for candidate in candidates:
            place = (root / candidate).resolve()
            if place.is_dir() or (place.is_file() and place.suffix.lower() in READERS):
                return _inside(root, place, kb_id)
        raise KnowledgeError(
            f"There is no knowledge base {kb_id!r}. Its documents are expected in the folder "
            f"{str(self._folder / kb_id)!r}, of the kinds {', '.join(READERS)}."
        )


class _Index:
    """The passages of some documents, and which words are in them."""

    def __init__(self, root: Path, documents: Sequence[_Document]) -> None:
        """Read the documents and index their passages; those without a word are left out.

        Raises:
            KnowledgeError: A document cannot be read, or they are too large together.
        """
        found = _passages(root, documents)
        words = [_words(passage) for _, passage in found]
        self._passages = [each for each, its_words in zip(found, words, strict=True) if its_words]
        self._known = {word for its_words in words for word in its_words}
        # Imported here: it brings numpy along, which an app without knowledge bases starts sooner without.
        import bm25s

        self._ranking = bm25s.BM25()
        if self._passages:
            self._ranking.index([each for each in words if each], show_progress=False)

    def best(self, query: str, limit: int) -> list[Passage]:
        """Return at most ``limit`` passages with a score above 0, best first.

        Words after the first `MAX_QUERY_WORDS` are ignored; without a known word the list is empty.
        """
        words = [word for word in _words(query)[:MAX_QUERY_WORDS] if word in self._known]
        if not words:
            return []
        scores = self._ranking.get_scores(words).tolist()
        ranked = sorted(range(len(scores)), key=lambda number: -scores[number])
        found: list[Passage] = []
        for number in ranked[:limit]:
            if scores[number] > 0:
                source, text = self._passages[number]
                found.append({"text": text, "source": source, "score": round(scores[number], 4)})
        return found


@lru_cache(maxsize=4)
def folder_search(folder: Path) -> FolderSearch:
    """Return the search in a folder, with its cached documents."""
    return FolderSearch(folder)


def _words(text: str) -> list[str]:
    """Return the words in lower case, each letter composed with its marks."""
    return _WORD.findall(normalize("NFC", text.casefold()))


def _passages(root: Path, documents: Sequence[_Document]) -> list[tuple[str, str]]:
    """Return each passage of the documents after its path below the root, in order.

    Raises:
        KnowledgeError: A document cannot be read, or there are too many passages.
    """
    found: list[tuple[str, str]] = []
    characters = 0
    for document in documents:
        name = document.path.relative_to(root).as_posix()
        try:
            pieces = passages(document.path)
            characters += sum(map(len, pieces))
            require_size(len(found) + len(pieces), characters)
        except DocumentError as error:
            raise KnowledgeError(f"The document {name!r} cannot be searched: {error}.") from error
        except DocumentLimitError as error:
            raise KnowledgeError(
                f"These knowledge bases cannot be searched: up to the end of {name!r} {error}. {_ADVICE}"
            ) from error
        found += [(name, piece) for piece in pieces]
    return found


def _files(place: Path) -> list[Path]:
    """Return the documents in a folder and below it, hidden ones left out, or a file itself.

    Documents are files whose suffix `READERS` knows; lock files of Word are no documents.
    """
    if place.is_file():
        return [place]
    found: list[Path] = []
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # Hidden files, and the lock files that Word makes beside an open document.
        paths = [Path(folder, name) for name in names if not name.startswith((".", "~$"))]
        found += [path for path in paths if path.suffix.lower() in READERS]
    return found


def _document(root: Path, path: Path) -> _Document:
    _inside(root, path.resolve(), path.relative_to(root).as_posix())
    state = path.stat()
    return _Document(path, state.st_size, state.st_mtime_ns)


def _inside(root: Path, place: Path, name: str) -> Path:
    """Return a place that is in the folder of knowledge bases; else raise KnowledgeError."""
    if not place.is_relative_to(root):
        raise KnowledgeError(
            f"{name!r} leads out of the folder of knowledge bases, so it is not read. Put a copy into it."
        )
    return place


def _check_bounds(documents: Sequence[_Document]) -> None:
    """Check the number of documents and their bytes together.

    Raises:
        KnowledgeError: There are too many.
    """
    if len(documents) > MAX_DOCUMENTS:
        raise KnowledgeError(
            f"These knowledge bases hold {len(documents)} documents, of which {MAX_DOCUMENTS} can be "
            f"searched. {_ADVICE}"
        )
    size = sum(document.size for document in documents)
    if size > MAX_BYTES:
        raise KnowledgeError(
            f"The documents of these knowledge bases have {size:,} bytes, of which {MAX_BYTES:,} can be "
            f"searched. {_ADVICE}"
        )
