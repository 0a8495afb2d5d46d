"""Temporary databases on the PostgreSQL server of the machine."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

SERVER = "host=127.0.0.1 port=5432 user=postgres connect_timeout=5"


@contextmanager
def a_database():
    """Create an empty database for a block; yield its name.

    Without a server the test is skipped, or fails in CI.
    """
    name = f"debugger_{uuid4().hex[:12]}"
    try:
        server = psycopg.connect(f"{SERVER} dbname=test", autocommit=True)
    except psycopg.OperationalError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    with server:
        server.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
        # Tests that end the server have one of their own: no other commit needs to wait for the disk.
        server.execute(SQL("ALTER DATABASE {} SET synchronous_commit = off").format(Identifier(name)))
    yield name
    with psycopg.connect(f"{SERVER} dbname=test", autocommit=True) as server:
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def a_schema(database):
    """Create a schema for a block; yield the URL of it."""
    schema = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(f"{SERVER} dbname={database}", autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    yield f"postgresql://postgres@127.0.0.1:5432/{database}?options=-csearch_path%3D{schema}"
    with psycopg.connect(f"{SERVER} dbname={database}", autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def wait_for_lock(url):
    """Wait until a statement in the database waits for a lock."""
    waiting = """
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    deadline = time.monotonic() + 10
    with psycopg.connect(url, autocommit=True) as connection:
        while not connection.execute(waiting).fetchone()[0]:
            assert time.monotonic() < deadline, "nothing waits for a lock"
            time.sleep(0.02)
