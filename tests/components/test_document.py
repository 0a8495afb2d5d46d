"""A document of the help in a browser: its links are told, and its places shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from debugger.views.panels.help import document
from tests.components.driving import Host

pytestmark = pytest.mark.browser

HTML = (
    '<h1 tabindex="-1">Pages</h1><p><a href="help?topic=guide">Guide</a></p>'
    '<div style="height: 3000px"></div><h2 id="runs" tabindex="-1">Runs</h2>'
)


def test_link_to_another_document_is_told_and_place_has_the_keyboard(host: Host):
    host.draw(lambda: document._DOCUMENT(key="document", data={"html": HTML, "place": "runs"}))

    expect(host.page.get_by_role("heading", name="Runs")).to_be_focused()
    expect(host.page.get_by_role("heading", name="Runs")).to_be_in_viewport()
    host.page.get_by_role("link", name="Guide").click()

    assert host.events == [("document", "followed", "help?topic=guide")]


def test_table_without_headings_has_no_head(host: Host):
    head = "<tr><th>{}</th><th></th></tr>"
    html = "".join(
        f"<table><thead>{head.format(words)}</thead><tbody></tbody></table>" for words in ("", "Fact")
    )

    host.draw(lambda: document._DOCUMENT(key="document", data={"html": html, "place": ""}))

    heads = host.page.locator("thead")
    expect(heads.nth(0)).to_be_hidden()
    expect(heads.nth(1)).to_be_visible()
