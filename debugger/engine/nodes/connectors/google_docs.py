"""The node that creates, reads or changes a document of Google Docs (``platform/engine.md`` 2.12)."""

from __future__ import annotations

from typing import Any, ClassVar

from debugger.engine.nodes.base import Node, NodeContext, NodeRun
from debugger.engine.nodes.connectors.base import ConnectorNode
from debugger.engine.nodes.connectors.google_docs_config import GoogleDocsConfig
from debugger.engine.nodes.connectors.google_docs_operations import (
    CreateDocument,
    GetDocument,
    UpdateDocument,
)
from debugger.protocol.workflow import NodeConfig

OPERATIONS: dict[str, type[ConnectorNode[Any]]] = {
    "google_docs_create_document": CreateDocument,
    "google_docs_get_document": GetDocument,
    "google_docs_update_document": UpdateDocument,
}


class GoogleDocsNode(Node[GoogleDocsConfig]):
    """Do what ``operate_document`` says."""

    Config: ClassVar[type[NodeConfig]] = GoogleDocsConfig
    counts_as_tool_call: ClassVar[bool] = True

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._operation = OPERATIONS[self.config.operate_document.type](config)

    def run(self, context: NodeContext) -> NodeRun:
        """Do it."""
        return self._operation.run(context)
