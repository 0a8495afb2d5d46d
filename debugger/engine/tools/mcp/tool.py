"""The tools whose work MCP servers do, and their discovery."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple, Protocol

from debugger.engine.environment import Environment
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Gateway, OutboundCall, OutboundError, OutboundOutcome, RecordedAnswer
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.tool_names import model_name, model_names
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.mcp.servers import Endpoint, McpServer, McpToolInfo, recorded_tools
from debugger.engine.tools.sandbox.child.json_value import NotJsonError, to_json
from debugger.engine.tools.simulation import answer_or_default
from debugger.errors import InputError, extra_advice
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject

if TYPE_CHECKING:
    from debugger.engine.tools.mcp.connection import Connection


class McpToolConfig(ToolConfig):
    """The specification for the model, made from the server's description."""

    type: str = "mcp"
    name: str = ""
    server: str = ""
    """The server's name."""


class McpTool(Tool):
    """A tool of an MCP server; its hint decides the call class.

    Args:
        config: Its specification for the model.
        endpoint: The server.
        info: The tool as the server describes it.
    """

    Config = McpToolConfig

    def __init__(self, config: McpToolConfig, endpoint: Endpoint, info: McpToolInfo) -> None:
        super().__init__(config)
        self._endpoint = endpoint
        self._info = info

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call the tool through the gateway with keyword arguments; errors are part of the result.

        A run that was stopped makes no call.
        """
        if context.cancelled.is_set():
            return ToolResult.failure("The call was stopped.")
        call = OutboundCall(
            kind="mcp",
            call_class="read" if self._info.reads_only else "write",
            target=f"MCP {self._endpoint.masked_url} {self._info.name}",
            request=self._endpoint.to_ledger(tool=self._info.name, arguments=arguments),
            simulate=self._simulate,
            live=lambda timeout: self._live(arguments, timeout, context),
            refusal=self._endpoint.refusal,
            to_json=lambda result, secrets: secrets.hide(
                {"success": result.success, "result": result.result, "error": result.error}
            ),
            from_json=lambda value: ToolResult(**value),
        )
        outcome = context.reach(call)
        return outcome.answer or ToolResult.failure(outcome.error)

    def _live(self, arguments: JsonObject, timeout: float, context: ToolContext) -> ToolResult:
        """Call the tool on its server and return the masked result; one that is no JSON is a failure.

        Raises:
            OutboundError: There is no answer.
        """
        connection = connect(self._endpoint, timeout, context.cancelled, context.outbound.limits)
        result = connection.call_tool(self._info.name, arguments)
        mask = self._endpoint.masked
        try:
            return ToolResult(result.success, mask(to_json(result.result)), mask(result.error))
        except NotJsonError as error:
            return ToolResult.failure(str(error))

    def _simulate(self, recorded: RecordedAnswer | None) -> ToolResult:
        text = f"The tool {self._info.name!r} was not called, and no answer is recorded for it."
        return ToolResult(success=True, result=answer_or_default(recorded, {"text": text}))


def connect(endpoint: Endpoint, timeout: float, cancelled: threading.Event, limits: HttpLimits) -> Connection:
    """Return a connection to a server; nothing is sent yet.

    Args:
        endpoint: The server.
        timeout: Seconds for the whole request.
        cancelled: Ends the request as soon as it is set.
        limits: Those of the gateway.

    Raises:
        OutboundError: The package for MCP servers is not installed.
    """
    # Imported late: the package is an extra, and takes a second to import.
    try:
        from debugger.engine.tools.mcp.connection import Connection
    except ImportError as error:
        raise OutboundError(
            f"MCP servers need a package that is not installed, or too old. {extra_advice('mcp')}"
        ) from error
    return Connection(endpoint, timeout, cancelled, limits)


# Discovery

FRESH_SECONDS = 60.0
"""Seconds for which a server's tools are cached."""

_MAX_WAIT_SECONDS = 10.0
"""Seconds that a server may take to list its tools; less where tools may take less, or the run must end."""
_MAX_SERVERS = 64
"""Servers."""


class DiscoveryContext(Protocol):
    """The services that a discovery needs; the context of a node's run has them."""

    @property
    def scope(self) -> Scope:
        """Return the variables that fill URLs and headers."""

    @property
    def authored(self) -> Scope:
        """Return the variables with the workflow's own defaults alone."""

    @property
    def options(self) -> EngineOptions:
        """Return the options, which limit the seconds of a tool."""

    @property
    def environment(self) -> Environment:
        """Return the clock."""

    @property
    def cancelled(self) -> threading.Event:
        """Return the event that ends a discovery."""

    @property
    def outbound(self) -> Gateway:
        """Return the gateway."""

    def clamp_timeout(self, seconds: float) -> float:
        """Return a span of time, cut where the run must have ended."""


class McpTools(NamedTuple):
    """The tools of some servers."""

    tools: list[McpTool]
    """Each under a name of its own, which models take."""
    warnings: list[str]
    """What is wrong with the configuration of a server, and what was not called, a sentence for each."""
    failures: list[str]
    """Why a server that was called gives no tools, a sentence for each."""


class DiscoveryCache:
    """A thread-safe cache of the servers' tools."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[str, tuple[float, list[McpToolInfo]]] = OrderedDict()

    def get(self, endpoint: Endpoint, now: float) -> list[McpToolInfo] | None:
        """Return a server's tools if they are fresh."""
        with self._lock:
            at, tools = self._found.get(_key(endpoint), (float("-inf"), []))
        return tools if 0 <= now - at < FRESH_SECONDS else None

    def put(self, endpoint: Endpoint, tools: list[McpToolInfo], now: float) -> None:
        """Store the tools of a server; beyond `_MAX_SERVERS` the oldest are dropped."""
        with self._lock:
            self._found[_key(endpoint)] = (now, tools)
            self._found.move_to_end(_key(endpoint))
            if len(self._found) > _MAX_SERVERS:
                self._found.popitem(last=False)


_DISCOVERIES = DiscoveryCache()


def mcp_tools(
    servers: Sequence[McpServer],
    context: DiscoveryContext,
    *,
    node_logical_id: str,
    taken: Sequence[str] = (),
    discoveries: DiscoveryCache = _DISCOVERIES,
) -> McpTools:
    """Return the tools of some servers, in their order, with warnings and failures.

    Never raises: one that does not answer has none, and there is a failure. Asking is a call to the outside
    that reads, so the policy may refuse or simulate it. A cancellation leaves out the rest.

    Args:
        servers: The servers, as the workflow names them.
        context: Whose variables fill URLs and headers, and whose gateway is used.
        node_logical_id: The node that is to have the tools.
        taken: Names that its other tools have, as models take them; a tool of the same name, or of the same
            as one of another server, gets its server's name put before it.
        discoveries: The cache.
    """
    found: list[tuple[Endpoint, McpToolInfo]] = []
    warnings: list[str] = []
    failures: list[str] = []
    for number, server in enumerate(servers, start=1):
        if context.cancelled.is_set():
            break
        try:
            endpoint = server.endpoint(context.scope, context.outbound.secrets, context.authored)
        except InputError as error:
            warnings.append(f"The MCP server {server.name or number!r} gives no tools: {error}")
            continue
        warnings += endpoint.faults
        if endpoint.unresolved:
            lacking = ", ".join(endpoint.unresolved)
            warnings.append(f"The MCP server {endpoint.name!r} gets headers without a value for {lacking}.")
        outcome = _request_tools(endpoint, context, node_logical_id, discoveries)
        found += [(endpoint, tool) for tool in outcome.answer or ()]
        missing = f"The MCP server {endpoint.name!r} gives no tools:"
        if outcome.answer is None:
            failures.append(f"{missing} {outcome.error}")
        elif outcome.how == "simulated" and not outcome.answer:
            warnings.append(
                f"{missing} it was not called, because calls that read are simulated, and no list of tools "
                "is recorded."
            )
    return McpTools(list(_named(found, taken)), warnings, failures)


def _request_tools(
    endpoint: Endpoint, context: DiscoveryContext, node_logical_id: str, discoveries: DiscoveryCache
) -> OutboundOutcome[list[McpToolInfo]]:
    """Request a server's tools through the gateway, at most 10 s; a fresh list is taken from the cache.

    Without an answer the outcome has the error.
    """

    def live(timeout: float) -> list[McpToolInfo]:
        """Return the cached tools, else ask the server and cache them.

        Raises OutboundError where there is no answer.
        """
        tools = discoveries.get(endpoint, context.environment.now())
        if tools is None:
            tools = connect(endpoint, timeout, context.cancelled, context.outbound.limits).list_tools()
            discoveries.put(endpoint, tools, context.environment.now())
        return tools

    call = OutboundCall(
        kind="mcp",
        call_class="read",
        target=f"MCP {endpoint.masked_url} tools/list",
        request=endpoint.to_ledger(),
        simulate=recorded_tools,
        live=live,
        refusal=endpoint.refusal,
        to_json=lambda tools, secrets: secrets.hide([endpoint.masked(asdict(tool)) for tool in tools]),
        from_json=lambda tools: [McpToolInfo(**tool) for tool in tools],
    )
    timeout = context.clamp_timeout(min(context.options.tool_timeout, _MAX_WAIT_SECONDS))
    return context.outbound.call(call, node_logical_id=node_logical_id, timeout=timeout)


def _named(found: Sequence[tuple[Endpoint, McpToolInfo]], taken: Sequence[str]) -> Iterator[McpTool]:
    """Yield each tool under a distinct name that models take, after its server's where two are alike.

    Secrets in descriptions and schemas are masked.
    """
    times = Counter([*taken, *(model_name(tool.name) for _, tool in found)])
    wanted = [
        tool.name if times[model_name(tool.name)] == 1 else f"{endpoint.name}_{tool.name}"
        for endpoint, tool in found
    ]
    names = model_names([*taken, *wanted])[len(taken) :]
    for name, (endpoint, tool) in zip(names, found, strict=True):
        config = McpToolConfig(
            name=name,
            signature=endpoint.masked(tool.description),
            args_schema=endpoint.masked(tool.args_schema),
            server=endpoint.name,
        )
        yield McpTool(config, endpoint, tool)


def _key(endpoint: Endpoint) -> str:
    """Return a digest of a server's identity and its credentials."""
    identity = repr((endpoint.url, sorted(endpoint.headers.items())))
    return hashlib.sha256(identity.encode()).hexdigest()
