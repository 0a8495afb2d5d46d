"""Connections of a tab while the outcome of a turn is not known."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debugger.views import connections
from debugger.views.address_bar import DebugBar
from debugger.views.connections import HostedConnection
from debugger.views.run_state import CurrentRun
from tests.conformance.served import KEY, create, execute, serving
from tests.faults.fault import EXECUTE, RUN, Fault
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.support.factories import document, say
from tests.views.bars import badges, use
from tests.views.message import send
from tests.views.records import record_of


@dataclass(frozen=True)
class World:
    proxy: FaultProxy
    tables: dict[str, Any]
    address: dict[str, str]


@contextmanager
def served_run(folder: Path) -> Iterator[World]:
    """Serve a run, behind a proxy, with two connections to it."""
    database = f"sqlite:///{folder}/served.sqlite3"
    with serving(database, folder) as api, fault_proxy(api.base_url.port) as proxy:
        workflow_id = create(api, document(say("chat")))
        run_id = execute(api, workflow_id, "Hello").json()["run_id"]
        table = {
            "base_url": f"{proxy.url}/workflows",
            "api_key": KEY,
            "live_events": "off",
            "reconciliation_timeout": 0.3,
        }
        address = {"backend": "hosted", "connection": "first", "workflow": workflow_id, "run": run_id}
        yield World(proxy, {"first": table, "second": table}, address)


def open_address(app: Any, address: dict[str, str]) -> None:
    record_of(app, DebugBar).left.clear()
    app.query_params.clear()
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception


def lose_message(app: Any, world: World) -> None:
    """Send a message that does not arrive, while the record cannot be read."""
    lost = [Fault(kind="drop", target=target, is_forwarded=False) for target in (EXECUTE, *[RUN] * 50)]
    world.proxy.arm(*lost)
    send(app, "Two cups")
    session = record_of(app, CurrentRun).session
    assert session.wait(10)
    app.run()
    assert session.pending is not None
    world.proxy.disarm()


def test_unknown_turn_outlives_another_connection(view, tmp_path):
    with served_run(tmp_path) as world:
        app = view("debug")
        app.secrets["connections"] = world.tables
        open_address(app, world.address)
        lose_message(app, world)
        session = record_of(app, CurrentRun).session
        open_address(app, {"backend": "hosted", "connection": "second"})
        assert record_of(app, CurrentRun).session is not session

        open_address(app, world.address)
        use(app, "send_again_pending")

        assert record_of(app, CurrentRun).session is session
        assert session.wait(10)
        assert session.error is None
        assert [turn.message for turn in session.turns] == ["Hello", "Two cups"]
        session.backend.close()


def test_connection_of_unknown_turn_is_named_after_reload(view, tmp_path, monkeypatch):
    token = secrets.token_urlsafe(32)
    monkeypatch.setattr(connections, "owner_token", lambda: token)
    with served_run(tmp_path) as world:
        app = view("debug")
        app.secrets["connections"] = world.tables
        open_address(app, world.address)
        lose_message(app, world)

        again = view("debug")
        again.secrets["connections"] = world.tables
        open_address(again, world.address)
        again.run()

        assert record_of(again, CurrentRun).session is record_of(app, CurrentRun).session
        assert record_of(again, HostedConnection).settings.api_key.get_secret_value() == KEY
        assert "not connected" not in badges(again)
        record_of(again, HostedConnection).backend.close()


def test_turn_that_failed_out_of_view_has_unknown_outcome(view, tmp_path):
    with served_run(tmp_path) as world:
        app = view("debug")
        app.secrets["connections"] = world.tables
        open_address(app, world.address)
        session = record_of(app, CurrentRun).session
        lost = [Fault(kind="drop", target=target, is_forwarded=False) for target in (EXECUTE, *[RUN] * 50)]
        world.proxy.arm(*lost)
        send(app, "Two cups")
        open_address(app, {"backend": "hosted", "connection": "second"})
        while session.is_executing:
            time.sleep(0.01)
        world.proxy.disarm()

        open_address(app, world.address)

        assert record_of(app, CurrentRun).session is session
        assert session.pending is not None
        session.backend.close()
