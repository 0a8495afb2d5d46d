"""Two tabs that edit one thing: one of them is asked, and nothing that was typed is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import choose_in_menu, open_app, open_tab, settled
from tests.browser.presenting import clinic_call

pytestmark = pytest.mark.browser


def open_notes(page: Page) -> None:
    """Show the notes of the run on view."""
    open_tab(page, "Notes")


def test_note_typed_while_another_tab_stores_one_is_kept(page: Page, app: Server):
    clinic_call(page, app.url, ())
    open_notes(page)
    other = page.context.new_page()
    open_app(other, page.url)
    open_notes(other)
    mine, theirs = page.get_by_label("Note", exact=True), other.get_by_label("Note", exact=True)
    mine.click()
    mine.press_sequentially("asks twice")  # not sent yet

    theirs.fill("is rude")
    theirs.press("Control+Enter")
    settled(other)
    mine.press("Control+Enter")

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The note was changed by")
    dialog.get_by_text("See both").click()
    for text in ("is rude", "asks twice"):
        expect(dialog.get_by_text(text, exact=True)).to_be_visible()
    settled(page)  # a dialog that is still drawn may take no click
    dialog.get_by_role("button", name="Continue editing").click()
    expect(dialog).to_have_count(0)
    expect(mine).to_have_value("asks twice")
    mine.fill("asks twice, is rude")
    mine.press("Control+Enter")
    settled(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    other.reload()
    open_notes(other)
    expect(theirs).to_have_value("asks twice, is rude")
    other.close()


def test_script_typed_while_another_tab_saves_one_is_kept(page: Page, app: Server):
    clinic_call(page, app.url, ())
    other = page.context.new_page()
    open_app(other, page.url)
    for each, text in ((page, "Mine."), (other, "Theirs.")):
        choose_in_menu(each, "demo_script")
        box = each.get_by_role("dialog").get_by_label("Messages in order")
        expect(box).to_be_visible()
        settled(each)  # a page that is still drawn would fill the box anew
        box.fill(text)
    for each in (other, page):
        each.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()

    question = page.get_by_role("dialog")
    expect(question).to_contain_text("The demo script was changed by")
    expect(other.get_by_role("dialog")).to_have_count(0)
    question.get_by_label("Close").click()
    box = page.get_by_role("dialog").get_by_label("Messages in order")
    expect(box).to_have_value("Mine.")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    other.close()
