"""MCP servers: the author's fields, the endpoint, and its tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from debugger.engine.outbound import RecordedAnswer, Secrets
from debugger.engine.outbound.destinations import Destination, is_http_url, parse_url
from debugger.engine.outbound.http_request import header_value, host_header
from debugger.engine.outbound.masking import find_literal_secrets, mask_url
from debugger.engine.outbound.secrets import MARK, request_budget
from debugger.engine.tools.base import null_is_default
from debugger.errors import InputError, RunError
from debugger.expressions import Scope, render
from debugger.expressions.values import shortened
from debugger.protocol.base import JsonObject, PlainObject, WireModel, as_objects
from debugger.protocol.value_view import ValueView
from debugger.protocol.workflow import NodeConfig, Workflow

_FIELD = "mcp_servers"
_LONGEST_QUOTE = 300


MAX_TOOLS = 200
"""Of one server; a model gets no more."""


class McpServer(WireModel):
    """A server that the workflow names (``platform.md#tool-types``)."""

    name: str | None = None
    server_url: str
    """May have placeholders, as the headers may."""
    api_headers: dict[str, str] = Field(default_factory=dict, repr=False)

    @field_validator("server_url")
    @classmethod
    def _is_written(cls, url: str) -> str:
        if not url.strip():
            raise ValueError("it is blank")
        return url

    _defaults = null_is_default("api_headers")

    def endpoint(self, scope: Scope, secrets: Secrets, authored: Scope) -> Endpoint:
        """Return the filled endpoint of the server; a secret that may not go there becomes its refusal.

        Args:
            scope: Variables that are filled in.
            secrets: What is filled into that which is really sent.
            authored: The variables with the workflow's own defaults alone.

        Raises:
            InputError: The URL or a header is not one when they are filled in, or they cost too much.
        """
        faults: list[str] = []
        with request_budget(faults) as budget:
            url = secrets.fill(self.server_url.strip(), scope, budget)
            headers = {name: secrets.fill(value, scope, budget) for name, value in self.api_headers.items()}
        _check_url(url.real)
        written = (self.server_url, host_header(self.api_headers))
        masked_url = mask_url(url.masked)
        refusal = secrets.refusal(
            frozenset().union(*(each.secret_names for each in (url, *headers.values()))),
            Destination.of(url.real, host_header({name: each.real for name, each in headers.items()})),
            Destination.of(*(render(text, authored).text for text in written)),
            f"MCP {masked_url}",
            masked_url,
        )
        return Endpoint(
            name=self.name or urlsplit(url.masked).hostname or "",
            url=url.real,
            masked_url=masked_url,
            headers={name: header_value(name, value.real) for name, value in headers.items()},
            secrets=secrets,
            unresolved=tuple(each for value in headers.values() for each in value.unresolved),
            faults=tuple(faults),
            refusal=refusal,
        )


@dataclass(frozen=True)
class Endpoint:
    """The address and headers of a server; its ``repr`` has no secret."""

    name: str
    url: str = field(repr=False)
    masked_url: str
    """The URL with secrets masked."""
    headers: Mapping[str, str] = field(repr=False)
    secrets: Secrets = field(default_factory=Secrets)
    """Those of the run."""
    unresolved: tuple[str, ...] = ()
    """Placeholders in the headers that nothing filled."""
    faults: tuple[str, ...] = ()
    """A sentence for each placeholder that stayed because it costs too much."""
    refusal: str = ""
    """Why it must not be called; empty where it may be."""

    @property
    def masked_host(self) -> str:
        """Return its host for the user, secrets masked."""
        url = parse_url(self.masked_url)
        return MARK if url is None else url.host

    @property
    def speaks_sse(self) -> bool:
        """Return whether it has the older transport, as its path shows (U-56)."""
        return urlsplit(self.url).path.rstrip("/").endswith("/sse")

    def masked(self, value: Any) -> Any:
        """Mask the run's secrets and the author's literal ones."""
        return find_literal_secrets(self.url, self.headers).mask_value(self.secrets.mask_value(value))

    def quote(self, text: str) -> str:
        """Return an external text for an error: masked, one line, shortened."""
        return shortened(" ".join(str(self.masked(text)).split()), _LONGEST_QUOTE)

    def to_ledger(self, **more: Any) -> JsonObject:
        """Return the request of a call for the ledger."""
        return {"server": self.name, "url": self.masked_url, **self.masked(more)}


def mcp_servers(workflow: Workflow, node: NodeConfig | None = None) -> list[McpServer]:
    """Return the servers of a workflow, or of a super node's member.

    Args:
        workflow: The workflow.
        node: The node that is to have their tools; one out of a super node bears servers of its own.

    Raises:
        RunError: One has no URL, or is no server at all (V19).
    """
    own = (node.model_extra or {}).get(_FIELD) if node is not None else None
    written = (workflow.config.model_extra or {}).get(_FIELD) if own is None else own
    if not isinstance(written, list | None):
        raise RunError("The workflow's mcp_servers is not a list.", advice="Write a list of servers.")
    return [_read(number, entry) for number, entry in enumerate(written or [], start=1)]


def _read(number: int, entry: Any) -> McpServer:
    """Return a server of the workflow's list.

    Raises:
        RunError: It cannot be read; the message has its number, from 1.
    """
    try:
        return McpServer.from_wire(entry)
    except InputError as error:
        # Without its cause, whose text may hold headers.
        raise RunError(
            f"Server {number} of the workflow's mcp_servers cannot be called: {error.message}.",
            advice="Give it a server_url, and api_headers that are texts.",
        ) from None


def _check_url(url: str) -> None:
    """Refuse a filled text that is no URL, or in which a placeholder is left, with an InputError.

    The error does not show the text, which may be a secret.
    """
    # The text is not repeated: where it is no URL, it may be a secret that was put into the wrong place.
    if not is_http_url(url) or "{{" in url or "[[" in url or not url.isprintable():
        raise InputError(
            "Its server_url is not a URL, or a placeholder in it has no value.",
            advice="Write one as https://host/mcp.",
        )


@dataclass(frozen=True)
class McpToolInfo:
    """A tool as a server offers it."""

    name: str
    """As the server knows it."""
    description: str
    args_schema: JsonObject
    """JSON Schema of its arguments."""
    reads_only: bool = False
    """Whether the server says that it changes nothing."""


def recorded_tools(recorded: RecordedAnswer | None) -> list[McpToolInfo]:
    """Return the named tools in a recorded answer to ``tools/list``; none where nothing is recorded.

    The body is a list of tools or an object with ``tools``.

    Raises:
        OutboundError: It was recorded that the call fails.
    """
    body = recorded.successful_body() if recorded is not None else None
    tools = as_objects(body) or _ToolList(body).tools
    return [
        McpToolInfo(
            tool.name,
            tool.description,
            tool.inputSchema or {"type": "object"},
            reads_only=tool.annotations.readOnlyHint,
        )
        for tool in map(_ListedTool, tools)
        if tool.name
    ]


class _ToolHints(ValueView):
    readOnlyHint: bool


class _ListedTool(ValueView):
    name: str
    description: str
    inputSchema: PlainObject
    annotations: _ToolHints


class _ToolList(ValueView):
    tools: list[PlainObject]
