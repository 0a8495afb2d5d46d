"""A database for each test: of SQLite in a file or in memory, and of PostgreSQL where a server answers."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from debugger.store import Store
from debugger.store.schema import SCHEMA_VERSION_KEY, WORKFLOWS_CREATED_KEY, meta, metadata
from tests.support.postgres import a_database, a_schema


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory):
    """The user's data folder, where a database on a server is backed up before it is migrated."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        yield folder / "workflow-debugger"


@pytest.fixture(scope="session")
def postgres():
    """The name of a database on the server for this process of tests: none of another is met in it."""
    with a_database() as name:
        yield name


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


@pytest.fixture(scope="session")
def ready_url(postgres):
    """The URL of a PostgreSQL database with all tables, which take longer to make than to empty."""
    with a_schema(postgres) as url:
        Store(url).close()
        yield url


@pytest.fixture(params=["memory", "postgresql"])
def store(request):
    """An open and empty store, of each kind."""
    kept = request.getfixturevalue("ready_url") if request.param == "postgresql" else "sqlite://"
    with closing(Store(kept)) as opened:
        yield opened
    if request.param == "postgresql":
        empty(kept)


def empty(url):
    """Delete all rows but the first facts."""
    names = [table.name for table in reversed(metadata.sorted_tables) if table is not meta]
    statements = [f"DELETE FROM {name}" for name in names]
    statements.append(
        f"DELETE FROM meta WHERE key NOT IN ('{SCHEMA_VERSION_KEY}', '{WORKFLOWS_CREATED_KEY}')"
    )
    statements.append(f"UPDATE meta SET value = 'no' WHERE key = '{WORKFLOWS_CREATED_KEY}'")
    with psycopg.connect(url) as connection:
        connection.execute("; ".join(statements))


@pytest.fixture
def repository(store):
    """The notes of an open store."""
    return store.notes
