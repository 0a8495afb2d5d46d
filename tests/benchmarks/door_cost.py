"""What a request costs until it has been let in: CPU microseconds, with a key that many share and a person's.

``python -m tests.benchmarks.door_cost``
"""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from debugger.backends.embedded import EmbeddedBackend
from debugger.server.access import Access, Caller, KeyRing, check_role
from debugger.server.access.caller import write_caller
from debugger.server.access.rates import Rate
from debugger.server.metrics import Metrics
from debugger.server.reply import JsonReply
from debugger.server.teams import Teams
from debugger.settings import Settings
from debugger.store import Role

TIMES = 20_000
ROUNDS = 5


def scope_of(key):
    headers = [(b"host", b"127.0.0.1:8611"), (b"accept", b"*/*"), (b"accept-encoding", b"gzip")]
    headers += [(b"user-agent", b"interactly-python/0.2.0"), (b"teamid", b"t"), (b"uuid", b"u")]
    headers += [(b"content-type", b"application/json"), (b"authorization", b"Bearer " + key.encode())]
    return {
        "type": "http",
        "method": "GET",
        "path": "/v1/workflows",
        "raw_path": b"/v1/workflows",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
    }


async def nothing(scope, receive, send):
    """An app that answers nothing."""


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message):
    """Take an answer."""


async def cpu(app, scope, times=TIMES):
    """Microseconds of one request, the least of some rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            await app(dict(scope), receive, send)
        found.append((time.process_time() - began) / times * 1e6)
    return min(found)


async def something(request: Request):
    """What a route takes."""
    return 1


async def route(given: Annotated[int, Depends(something)]):
    """A route that does nothing, but takes something as those of the server do."""
    return JsonReply({})


def an_app(**options):
    """An app with this one route."""
    app = FastAPI(openapi_url=None, **options)
    app.get("/v1/workflows")(route)

    async def with_caller(scope, receive, send):
        write_caller(scope, Caller(Role.RUN))
        await app(scope, receive, send)

    return with_caller


async def main():
    with closing(EmbeddedBackend(Settings(database="sqlite://"))) as backend:
        for number in range(200):
            backend.store.api_keys.add(f"Person {number}", Role.RUN)
        _, own = backend.store.api_keys.add("Ada", Role.RUN)
        with closing(Teams(backend, Metrics("1"))) as teams:
            door = Access(
                nothing,
                ring=KeyRing(backend.store.api_keys, "sk-shared"),
                rate=Rate(10**9),
                admits=lambda scope: None,
                welcome=teams.welcome,
            )
            bare = await cpu(nothing, scope_of("sk-shared"))
            for what, key in (("the shared key", "sk-shared"), ("a person's key, one of 201", own)):
                print(f"the door, {what}: {await cpu(door, scope_of(key)) - bare:.1f} µs")
    scope = scope_of("sk-shared")
    without = await cpu(an_app(), scope, TIMES // 10)
    with_role = await cpu(an_app(dependencies=[Depends(check_role)]), scope, TIMES // 10)
    print(f"the role that the route needs: {with_role - without:.1f} µs (an empty route: {without:.1f} µs)")


if __name__ == "__main__":
    asyncio.run(main())
