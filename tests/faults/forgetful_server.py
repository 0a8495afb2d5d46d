"""Our server without ``miscellaneous`` in its records.

``python -m tests.faults.forgetful_server serve ...`` takes the arguments of ``python -m debugger``.
"""

from __future__ import annotations

import json
from importlib import import_module

from debugger.cli import main

DROPPED = "miscellaneous"


class Forgetful:
    """Middleware that drops a key, at any depth, from records.

    Args:
        app: The server.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["method"] != "GET" or "/workflow-runs" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        start, body = {}, b""

        async def gather(message):
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                content = _without(body)
                others = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
                length = (b"content-length", str(len(content)).encode())
                await send({**start, "headers": [*others, length]})
                await send({"type": "http.response.body", "body": content})

        await self._app(scope, receive, gather)


def _without(body):
    try:
        return json.dumps(_dropped(json.loads(body))).encode()
    except ValueError:
        return body


def _dropped(value):
    if isinstance(value, dict):
        return {key: _dropped(inner) for key, inner in value.items() if key != DROPPED}
    if isinstance(value, list):
        return [_dropped(inner) for inner in value]
    return value


def run():
    """Run the command line with a forgetful server."""
    module = import_module("debugger.server.serve")  # the package has a function of this name
    create_app = module.create_app

    def create_forgetful_app(*arguments, **options):
        app = create_app(*arguments, **options)
        app.add_middleware(Forgetful)
        return app

    module.create_app = create_forgetful_app
    main()


if __name__ == "__main__":
    run()
