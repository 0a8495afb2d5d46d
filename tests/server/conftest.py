from __future__ import annotations

import threading
from contextlib import ExitStack, closing, contextmanager

import httpx
import pytest
import uvicorn

from debugger.backends.embedded import EmbeddedBackend
from debugger.server.app import create_app
from debugger.server.http_server import listen
from debugger.settings import Settings
from tests.support.postgres import a_database, a_schema


@contextmanager
def serving(backend, *, app=None, **options):
    listener = listen("127.0.0.1", 0)
    app = app or create_app(backend, **options)
    config = uvicorn.Config(app, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    port = listener.getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/workflows", trust_env=False, timeout=10) as client:
        yield client
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture(scope="module")
def serve():
    """Serve a backend on a real socket: a function that gives a client."""
    with ExitStack() as stack:
        yield lambda backend, **options: stack.enter_context(serving(backend, **options))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    database = tmp_path_factory.mktemp("server") / "server.sqlite3"
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{database}", responder="rules"))
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def api(embedded):
    """A client of a server on an embedded engine of its own, one for all tests of a file."""
    with serving(embedded) as client:
        yield client


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request, tmp_path):
    """Two backends on one database, and clients of their servers."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/shared.sqlite3"
        if request.param == "postgresql":
            url = stack.enter_context(a_schema(stack.enter_context(a_database())))
        settings = Settings(database=url, responder="rules")
        backends = [stack.enter_context(closing(EmbeddedBackend(settings))) for _ in range(2)]
        yield backends, [stack.enter_context(serving(backend)) for backend in backends]
