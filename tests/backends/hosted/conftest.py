"""A scripted server, and a hosted backend that is connected to it."""

from __future__ import annotations

import pytest

from tests.backends.hosted.peer import backend_of, serving


@pytest.fixture
def peer():
    with serving() as peer:
        yield peer


@pytest.fixture
def hosted(peer):
    with backend_of(peer) as backend:
        yield backend
