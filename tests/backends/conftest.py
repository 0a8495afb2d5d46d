"""A database for each test, as a file and on the PostgreSQL server."""

from __future__ import annotations

import pytest

from tests.support.postgres import a_database, a_schema


@pytest.fixture(scope="session")
def postgres():
    """The name of a database on the server for this process of tests."""
    with a_database() as name:
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of an empty database of each kind that processes share."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.sqlite3"
        return
    with a_schema(request.getfixturevalue("postgres")) as url:
        yield url
