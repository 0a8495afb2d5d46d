from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing

import psycopg
import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.tools.sandbox import python_status
from debugger.server.health import NO_ANSWER, OTHER_TABLES, UNUSABLE, Readiness
from debugger.settings import Settings
from tests.support.postgres import a_database


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/ready.sqlite3"))
    yield backend
    backend.close()


def change(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "ready.sqlite3", isolation_level=None)) as connection:
        connection.execute(statement)


def ready(client):
    return client.get(client.base_url.join("/readyz"))


def test_readyz_needs_no_key(serve, backend):
    answer = ready(serve(backend, api_key="sk-right"))

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "python": "sandboxed"}


@pytest.mark.parametrize(("setting", "mode"), [("off", "refused"), ("unsafe", "unsafe")])
def test_readyz_names_the_mode_of_python(serve, tmp_path, setting, mode):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/mode.sqlite3", inline_python=setting))
    try:
        answer = ready(serve(backend)).json()
    finally:
        backend.close()

    assert answer == {"status": "ready", "python": mode, "python_reason": python_status(setting).reason}


def test_readyz_reports_tables_of_another_version(serve, backend, tmp_path):
    client = serve(backend)
    change(tmp_path, "UPDATE alembic_version SET version_num = '9999'")

    answer = ready(client)

    assert (answer.status_code, answer.json()) == (503, {"detail": OTHER_TABLES})


def test_readyz_leaves_store_error_to_log(serve, backend, tmp_path, caplog):
    client = serve(backend)
    change(tmp_path, "DROP TABLE alembic_version")

    answer = ready(client)

    assert (answer.status_code, answer.json()) == (503, {"detail": UNUSABLE})
    assert str(tmp_path) in caplog.text


def test_readyz_waits_briefly_for_silent_database():
    with a_database() as name:
        url = f"postgresql://postgres@127.0.0.1:5432/{name}"
        backend = EmbeddedBackend(Settings(database=url))
        readiness = Readiness(backend, timeout_seconds=0.1)

        async def ask_twice_and_later(locked):
            begun = time.monotonic()
            during = [await readiness.problem(), await readiness.problem()]
            seconds = time.monotonic() - begun
            locked.rollback()
            while (after := await readiness.problem()) == NO_ANSWER:
                pass
            return during, seconds, after

        with psycopg.connect(f"host=127.0.0.1 user=postgres dbname={name}") as locked:
            locked.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            during, seconds, after = asyncio.run(ask_twice_and_later(locked))
        backend.close()

    assert during == [NO_ANSWER, NO_ANSWER]
    assert seconds < 2
    assert after is None
