"""One server for each kind of database, for all modules that a worker runs."""

from __future__ import annotations

import pytest

from tests.conformance.served import DATABASES, serving


@pytest.fixture(scope="session", params=sorted(DATABASES))
def api(request, tmp_path_factory):
    """A client of the server, on a real socket."""
    folder = tmp_path_factory.mktemp("served")
    with serving(DATABASES[request.param](folder), folder) as client:
        yield client
