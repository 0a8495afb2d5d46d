"""Limits of what is on view at rest; `tests.browser.visible_controls` prints the table of all pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Server
from tests.browser.driving import open_workflow
from tests.browser.visible_controls import WINDOW, visible_controls

pytestmark = pytest.mark.browser

MOST_BEFORE_START = 25
LEAST_GRAPH_HEIGHT = 540


def test_page_before_start_has_few_controls_and_high_graph(page: Page, app: Server):
    page.set_viewport_size(WINDOW)
    open_workflow(page, app.url, "Clinic front desk")

    found = visible_controls(page).usable

    assert len(found) <= MOST_BEFORE_START, found
    assert page.locator(".st-key-graph").bounding_box()["height"] >= LEAST_GRAPH_HEIGHT
