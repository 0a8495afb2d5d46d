"""Limits of what is on view at rest; `tests.browser.visible_controls` prints the table of all pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Server
from tests.browser.driving import open_workflow, say
from tests.browser.presenting import CALL, clinic_call, press
from tests.browser.visible_controls import WINDOW, visible_controls

pytestmark = pytest.mark.browser

MOST_BEFORE_START, MOST_IN_RUN, MOST_IN_DEMO = 25, 35, 12
LEAST_GRAPH_HEIGHT = 590


def test_page_before_start_has_few_controls_and_high_graph(page: Page, app: Server):
    page.set_viewport_size(WINDOW)
    open_workflow(page, app.url, "Clinic front desk")

    found = visible_controls(page).usable

    assert len(found) <= MOST_BEFORE_START, found
    assert page.locator(".st-key-graph").bounding_box()["height"] >= LEAST_GRAPH_HEIGHT


def test_page_in_run_has_few_controls(page: Page, app: Server):
    page.set_viewport_size(WINDOW)
    clinic_call(page, app.url, CALL[:2])

    found = visible_controls(page).usable

    assert len(found) <= MOST_IN_RUN, found


def test_demo_at_rest_has_run_alone_on_view(page: Page, app: Server):
    page.set_viewport_size(WINDOW)
    clinic_call(page, app.url, CALL[:1])
    press(page, "Shift+E")
    say(page, CALL[1])

    found = visible_controls(page).usable

    assert len(found) <= MOST_IN_DEMO, found
    assert {"More", "Now it is your turn."} <= set(found)
