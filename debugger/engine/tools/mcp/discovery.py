"""The discovery of the tools that MCP servers offer."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from debugger.engine.models.base import model_name, model_names
from debugger.engine.outbound import OutboundCall
from debugger.engine.tools.mcp.servers import Endpoint, McpServer, McpToolInfo, recorded_tools
from debugger.engine.tools.mcp.tool import McpTool, McpToolConfig, connect
from debugger.errors import InputError

if TYPE_CHECKING:
    from debugger.engine.nodes.base import NodeContext

FRESH_SECONDS = 60.0
"""Seconds for which a server's tools are cached."""

_MAX_WAIT_SECONDS = 10.0
"""Seconds that a server may take to list its tools; less where tools may take less."""
_MAX_SERVERS = 64
"""Servers."""


class McpTools(NamedTuple):
    """The tools of some servers."""

    tools: list[McpTool]
    """Each under a name of its own, which models take."""
    warnings: list[str]
    """Why a server's tools are not there, a sentence for each."""


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
        """Store the tools of a server."""
        with self._lock:
            self._found[_key(endpoint)] = (now, tools)
            self._found.move_to_end(_key(endpoint))
            if len(self._found) > _MAX_SERVERS:
                self._found.popitem(last=False)


_DISCOVERIES = DiscoveryCache()


def mcp_tools(
    servers: Sequence[McpServer],
    context: NodeContext,
    *,
    node_logical_id: str,
    taken: Sequence[str] = (),
    discoveries: DiscoveryCache = _DISCOVERIES,
) -> McpTools:
    """Request the tools of some servers.

    Never raises: one that does not answer has none, and there is a warning. Asking is a call to the outside
    that reads, so the policy may refuse or simulate it.

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
        tools, problem = _request_tools(endpoint, context, node_logical_id, discoveries)
        found += [(endpoint, tool) for tool in tools]
        if problem is not None:
            warnings.append(f"The MCP server {endpoint.name!r} gives no tools: {problem}")
    return McpTools(list(_named(found, taken)), warnings)


def _request_tools(
    endpoint: Endpoint, context: NodeContext, node_logical_id: str, discoveries: DiscoveryCache
) -> tuple[list[McpToolInfo], str | None]:

    def live(timeout: float) -> list[McpToolInfo]:
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
    )
    timeout = min(context.options.tool_timeout, _MAX_WAIT_SECONDS)
    outcome = context.outbound.call(call, node_logical_id=node_logical_id, timeout=timeout)
    if outcome.answer is None:
        return [], outcome.error
    if outcome.how == "simulated" and not outcome.answer:
        why = "it was not called, because calls that read are simulated, and no list of tools is recorded."
        return [], why
    return outcome.answer, None


def _named(found: Sequence[tuple[Endpoint, McpToolInfo]], taken: Sequence[str]) -> Iterator[McpTool]:
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
