"""The kind of route that runs turns."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from debugger.protocol.base import is_id
from debugger.server.access import check_role


class TurnRoute(APIRoute):
    """A route whose path holds nothing but ids, and which can do without what is asked for in the query.

    FastAPI needs a tenth of a short turn to look at one id and at a number that is mostly left out. Where all
    is as it should be, this looks by itself; what is odd is left to FastAPI, which tells of it in its words.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        handle = super().get_route_handler()

        async def handle_quickly(request: Request) -> Response:
            ids = request.path_params
            if request.scope["query_string"] or not all(map(is_id, ids.values())):
                return await handle(request)
            await check_role(request)  # one of the route's dependencies, which FastAPI would look for
            answer: Response = await self.endpoint(request, **ids)
            return answer

        return handle_quickly
