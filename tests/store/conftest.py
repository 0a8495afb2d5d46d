"""A database for each test: of SQLite in a file or in memory, and of PostgreSQL where a server answers."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from debugger.store import Store

SERVER = "host=127.0.0.1 port=5432 user=postgres connect_timeout=5"


@pytest.fixture(scope="session")
def postgres():
    """The name of a database on the server for this process of tests: none of another is met in it."""
    name = f"debugger_{uuid4().hex[:12]}"
    try:
        server = psycopg.connect(f"{SERVER} dbname=test", autocommit=True)
    except psycopg.OperationalError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    with server:
        server.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
    yield name
    with psycopg.connect(f"{SERVER} dbname=test", autocommit=True) as server:
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def postgres_url(postgres):
    """The URL of an empty PostgreSQL database, or of what looks like one: a schema of its own."""
    with a_schema(postgres) as url:
        yield url


@pytest.fixture
def other_postgres_url(postgres):
    """The URL of another one."""
    with a_schema(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of an empty database that outlives a process, of each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path}/debugger.sqlite3"


@pytest.fixture
def other_url(url, request, tmp_path):
    """The URL of another one of the same kind."""
    if url.startswith("postgresql"):
        return request.getfixturevalue("other_postgres_url")
    return f"sqlite:///{tmp_path}/other.sqlite3"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def every_url(request, tmp_path):
    """The same, and that of a database in memory."""
    return {
        "memory": lambda: "sqlite://",
        "sqlite": lambda: f"sqlite:///{tmp_path}/debugger.sqlite3",
        "postgresql": lambda: request.getfixturevalue("postgres_url"),
    }[request.param]()


@pytest.fixture(params=["memory", "postgresql"])
def store(request):
    """An open store, of each kind."""
    kept = request.getfixturevalue("postgres_url") if request.param == "postgresql" else "sqlite://"
    with closing(Store(kept)) as opened:
        yield opened


@pytest.fixture
def notebook(store):
    """The notebook of an open store."""
    return store.notebook


@contextmanager
def a_schema(database):
    """A schema that is there for the length of a block; gives the URL that leads into it."""
    schema = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(f"{SERVER} dbname={database}", autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    yield f"postgresql://postgres@127.0.0.1:5432/{database}?options=-csearch_path%3D{schema}"
    with psycopg.connect(f"{SERVER} dbname={database}", autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
