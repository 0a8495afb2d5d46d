"""A page on which components are drawn, in a real Chromium, with fixtures and a hook of the browser tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import chromium, page, pytest_runtest_makereport, window
from tests.components.driving import Host
from tests.components.hosting import host_server
from tests.support.http_server import HttpServer

__all__ = ["chromium", "page", "pytest_runtest_makereport", "window"]


@pytest.fixture(scope="package")
def site() -> Iterator[HttpServer]:
    """The server of the page."""
    with host_server() as server:
        yield server


@pytest.fixture
def host(page: Page, site: HttpServer) -> Host:
    """The page without a component."""
    return Host(page, site)
