"""One server per kind of database for all modules of a worker."""

from __future__ import annotations

import functools
from contextlib import ExitStack

import pytest

from tests.conformance.served import serving
from tests.support.postgres import a_database, a_schema


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """A function that returns the client of a server by the kind of its database; each is started once."""
    with ExitStack() as stack:

        @functools.cache
        def client(kind):
            folder = tmp_path_factory.mktemp("served")
            return stack.enter_context(serving(_new_database(kind, folder, stack), folder))

        yield client


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def api(request, served):
    """A client of the server, on a real socket."""
    return served(request.param)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of an empty database."""
    with ExitStack() as stack:
        yield _new_database(request.param, tmp_path, stack)


def _new_database(kind, folder, stack):
    if kind == "sqlite":
        return f"sqlite:///{folder}/runs.sqlite3"
    return stack.enter_context(a_schema(stack.enter_context(a_database())))
