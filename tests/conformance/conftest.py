"""One server for each kind of database, for all modules that a worker runs."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.conformance.served import serving
from tests.postgres import a_database, a_schema


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def api(request, tmp_path_factory):
    """A client of the server, on a real socket."""
    folder = tmp_path_factory.mktemp("served")
    with ExitStack() as stack:
        database = f"sqlite:///{folder}/runs.sqlite3"
        if request.param == "postgresql":
            database = stack.enter_context(a_schema(stack.enter_context(a_database())))
        yield stack.enter_context(serving(database, folder))
