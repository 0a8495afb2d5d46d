from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from debugger.views.streamlit_patches import SETTING
from tests.browser.conftest import streamlit_app
from tests.browser.driving import context, conversation, open_app, say, settled, start

pytestmark = pytest.mark.browser


def test_app_runs_without_patches(page, tmp_path):
    with streamlit_app(tmp_path, **{SETTING: "off"}) as server:
        open_app(page, server.url)
        start(page)
        say(page, "Book an appointment for tomorrow")
        expect(context(page)).to_contain_text("Turn 2")
        settled(page)

        # The panes that follow the run were drawn with it, and the address names it.
        expect(conversation(page)).to_contain_text("Book an appointment for tomorrow")
        expect(page.locator(".st-key-timeline tbody tr").first).to_be_visible()
        expect(page).to_have_url(re.compile(r"run=\w+&turn=2"))
