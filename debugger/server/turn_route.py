"""The kind of route that runs turns."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from inspect import signature
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from debugger.protocol.base import is_id
from debugger.protocol.runs import EXPECTED_TURN_HEADER
from debugger.server.access import check_role

_NUMBER = "expected_turn_number"
_WELL_FORMED = re.compile("[1-9][0-9]{0,8}")


class TurnRoute(APIRoute):
    """A route whose path holds nothing but ids, and which can do without what is asked for in the query.

    FastAPI needs a tenth of a short turn to look at one id and at numbers that are mostly left out. Where all
    is as it should be, this looks by itself; what is odd is left to FastAPI, which tells of it in its words.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        handle = super().get_route_handler()
        takes_number = _NUMBER in signature(self.endpoint).parameters

        async def handle_quickly(request: Request) -> Response:
            ids = request.path_params
            if request.scope["query_string"] or not all(map(is_id, ids.values())):
                return await handle(request)
            arguments: dict[str, Any] = dict(ids)
            number = request.headers.get(EXPECTED_TURN_HEADER) if takes_number else None
            if number is not None:
                if not _WELL_FORMED.fullmatch(number):
                    return await handle(request)
                arguments[_NUMBER] = int(number)
            await check_role(request)  # one of the route's dependencies, which FastAPI would look for
            answer: Response = await self.endpoint(request, **arguments)
            return answer

        return handle_quickly
