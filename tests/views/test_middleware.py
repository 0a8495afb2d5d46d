from __future__ import annotations

from types import SimpleNamespace

import anyio
import pytest

from debugger.errors import StoreError
from debugger.server.health import Readiness
from debugger.store import Role, Store
from debugger.views import middleware
from debugger.views.middleware import OperationsRoutes


def fetched(path, method="GET"):
    """Return status and body of a request; 404 from the application behind the routes."""
    sent = []

    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 404})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    anyio.run(OperationsRoutes(behind), scope, None, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


@pytest.fixture
def store(monkeypatch):
    """A store of the page, whose answer a test may set."""
    store = Store("sqlite://")
    readiness = Readiness(None)
    readiness._store = store
    monkeypatch.setattr(middleware, "_readiness", lambda: readiness)
    yield store
    store.close()


def test_health_asks_store(store):
    healthy = fetched("/healthz")
    store.close()

    assert healthy == (200, b"ok\n")
    assert fetched("/healthz") == (503, b"unavailable\n")


def test_unopenable_store_is_unhealthy(monkeypatch):
    def fail():
        raise StoreError("The file /srv/secret.sqlite3 cannot be opened.")

    monkeypatch.setattr(middleware, "_readiness", fail)

    assert fetched("/healthz") == (503, b"unavailable\n")


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), (Role.READ, 403), (Role.RUN, 200), (Role.ADMIN, 200)]
)
def test_counters_need_the_role_of_the_server(monkeypatch, role, status):
    monkeypatch.setattr(middleware, "required_role", lambda method, path: Role.RUN)
    monkeypatch.setattr(middleware, "page_logins", lambda: SimpleNamespace(is_needed=True))
    monkeypatch.setattr(middleware, "_role_of_key", lambda scope: role)

    assert fetched("/metrics")[0] == status


def test_other_requests_pass():
    assert fetched("/runs")[0] == fetched("/healthz", "POST")[0] == 404


def test_unreadable_logins_refuse_session_metrics(monkeypatch):
    async def fail(_cookies):
        raise StoreError("The store cannot be read.")

    logins = SimpleNamespace(is_needed=True, find_nonblocking=fail)
    monkeypatch.setattr(middleware, "page_logins", lambda: logins)

    assert fetched(middleware._SESSION_METRICS)[0] in (401, 403, 503)
