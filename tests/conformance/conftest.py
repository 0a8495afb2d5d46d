"""One server per kind of database for a worker's modules."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.conformance.served import serving
from tests.support.postgres import a_database, a_schema


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def api(request, tmp_path_factory):
    """A client of the server, on a real socket."""
    folder = tmp_path_factory.mktemp("served")
    with ExitStack() as stack:
        yield stack.enter_context(serving(_new_database(request.param, folder, stack), folder))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of an empty database."""
    with ExitStack() as stack:
        yield _new_database(request.param, tmp_path, stack)


def _new_database(kind, folder, stack):
    if kind == "sqlite":
        return f"sqlite:///{folder}/runs.sqlite3"
    return stack.enter_context(a_schema(stack.enter_context(a_database())))
