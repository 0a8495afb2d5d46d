"""A real MCP server for tests, run as a process of its own: it prints its port and serves until its end."""

from __future__ import annotations

import asyncio
import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)

server = MCPServer("clinic", log_level="CRITICAL")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def find_slots(day: str) -> list[str]:
    """Find free slots."""
    return [f"{day} 09:00", f"{day} 10:30"]


@server.tool()
def book_slot(day: str, time: str) -> dict[str, str]:
    """Book a slot."""
    return {"booked": f"{day} {time}"}


@server.tool(structured_output=False)
def say_hours() -> str:
    """Say when the clinic is open."""
    return "Open from 9 to 5."


@server.tool()
def fail(reason: str) -> str:
    """Fail."""
    raise ToolError(reason)


@server.tool()
async def dawdle(seconds: float) -> str:
    """Take a while."""
    await asyncio.sleep(seconds)
    return "done"


@server.tool(structured_output=False)
def show_map() -> list[ContentBlock]:
    """Show the way."""
    way = TextResourceContents(uri="file:///way.md", text="By bus.")
    return [
        TextContent(type="text", text="Here it is."),
        ImageContent(type="image", data="AAAA", mimeType="image/png"),
        EmbeddedResource(type="resource", resource=way),
        ResourceLink(type="resource_link", name="way", uri="file:///way.txt", mimeType="text/plain"),
    ]


@server.tool()
def count() -> int:
    """Count very far."""
    return 2**70


@server.tool(name="echo.headers", structured_output=False)
def echo_headers(context: Context) -> str:
    """Tell what was sent."""
    return repr(dict(context.request_context.request.headers))


def guarded(app, token):
    """Let nobody in who does not bring the token."""

    async def guard(scope, receive, send):
        if (
            scope["type"] == "http"
            and dict(scope["headers"]).get(b"authorization") != f"Bearer {token}".encode()
        ):
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
        else:
            await app(scope, receive, send)

    return guard


def main() -> None:
    transport, token = sys.argv[1], sys.argv[2]
    app = server.sse_app() if transport == "sse" else server.streamable_http_app()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(guarded(app, token) if token else app, log_level="critical", ws="none")
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
