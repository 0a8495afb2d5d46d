"""The tool that looks a question up in knowledge bases."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.knowledge_search import KnowledgeError, KnowledgeSearch, folder_search
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


class KnowledgeBaseConfig(ToolConfig):
    """Which knowledge bases are searched (``platform/engine.md`` 10.4)."""

    category: str | None = "Knowledge Base"
    signature: str | None = _SIGNATURE
    args_schema: JsonObject | None = Field(default_factory=lambda: _SCHEMA)
    """What a model is asked for; its justification is for the record and does not reach the search."""
    result_runtime_variable_name: str = _RESULT
    target_knowledge_base_ids: list[str] = Field(default_factory=list)
    """All that there are, where it is empty."""

    @field_validator("target_knowledge_base_ids", mode="before")
    @classmethod
    def _absent_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value

    @field_validator("signature", mode="before")
    @classmethod
    def _unwritten_is_stock(cls, value: Any) -> Any:
        return value or _SIGNATURE

    @field_validator("args_schema", mode="before")
    @classmethod
    def _unwritten_is_generated(cls, value: Any) -> Any:
        return value or _SCHEMA

    @field_validator("result_runtime_variable_name", mode="before")
    @classmethod
    def _unnamed_is_stock(cls, value: Any) -> Any:
        return value or _RESULT


class KnowledgeBaseTool(Tool):
    """Look a question up and give the passages that fit it best, as a list of text, source and score.

    Nothing leaves the machine: documents are searched in the folder of `EngineOptions.knowledge_folder`.

    Args:
        config: Which knowledge bases.
        search: What searches them; ``None`` is the folder of documents.

    Raises:
        RunError: The workflow sets an argument other than the query (10.2).

    Source: ``platform/engine.md`` 10.4, U-55.
    """

    Config = KnowledgeBaseConfig

    def __init__(self, config: KnowledgeBaseConfig, search: KnowledgeSearch | None = None) -> None:
        self.config = config
        self._search = search
        for bound in config.variable_arguments:
            if bound.argument_name != _QUERY:
                raise RunError(
                    f"The knowledge-base tool {config.name!r} sets the argument {bound.argument_name!r}; "
                    "only 'query' can be set.",
                    advice="Take it out of the tool's variable_arguments.",
                )

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Search. A question that is missing and a folder that is not there are told in the result."""
        query = arguments.get(_QUERY)
        if not isinstance(query, str) or not query.strip():
            return _failure("A knowledge base needs a query: the argument 'query' is missing or no text.")
        try:
            found = self._searching(context).search(self.config.target_knowledge_base_ids, query, PASSAGES)
        except KnowledgeError as error:
            return _failure(str(error))
        return ToolResult(success=True, result=found)

    def _searching(self, context: ToolContext) -> KnowledgeSearch:
        if self._search is not None:
            return self._search
        if context.options.knowledge_folder is None:
            raise KnowledgeError(
                "This engine has no folder of documents for knowledge bases. "
                "Set WORKFLOW_DEBUGGER_KNOWLEDGE to one."
            )
        return folder_search(context.options.knowledge_folder)


def _failure(error: str) -> ToolResult:
    return ToolResult(success=False, error=error)
