"""One defect from end to end: stopped at, changed, forked, compared, and found again by somebody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import (
    add_breakpoint,
    connect,
    context,
    conversation,
    id_on_view,
    import_workflow,
    keep_import,
    open_app,
    open_editor,
    origin,
    press_in_bar,
    ring,
    run_head,
    run_id,
    say,
    settled,
    start,
    type_into_cell,
)

pytestmark = pytest.mark.browser


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def stop_before_the_fifth_visit(page: Page) -> None:
    add_breakpoint(page, condition="{{way}} == 'round'", hits="5")
    press(page, "start")
    expect(context(page)).to_contain_text("5 hits")
    settled(page)


def go_right(page: Page) -> None:
    open_editor(page)
    type_into_cell(page, "live_dynamic", row=0, text="right")
    press(page, "apply_edits")
    page.keyboard.press("Escape")
    settled(page)
    press(page, "resume")
    expect(conversation(page)).to_contain_text("Turned right")
    settled(page)


def compared(page: Page, app: Server, run_a: str, run_b: str) -> str:
    """Return the sentence of the page Compare about two runs."""
    page.goto(f"{app.url}/compare?a={run_a}&b={run_b}")
    settled(page)
    return page.locator(".st-key-compare_sentence").inner_text()


def test_run_is_stopped_changed_forked_twice_compared_and_reopened(
    page: Page, app: Server, chromium: Browser
):
    open_app(page, app.url)
    import_workflow(page, "ring.json", ring())
    keep_import(page)
    expect(run_head(page)).to_contain_text("Ring")
    stop_before_the_fifth_visit(page)
    go_right(page)
    say(page, "Where am I?")
    first = run_id(page)

    press_in_bar(page, "fork_turn")
    press(page, "run_unedited")
    expect(origin(page)).to_contain_text("Verified")
    same = run_id(page)
    press(page, "crumb_0")
    expect(id_on_view(page)).to_contain_text(first)
    press_in_bar(page, "fork_turn")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User message").fill("Which way is home?")
    dialog.get_by_label("User message").press("Control+Enter")
    settled(page)
    press(page, "run_fork")
    expect(conversation(page)).to_contain_text("Which way is home?")
    edited = run_id(page)
    link = page.url

    assert len({first, same, edited}) == 3
    told = compared(page, app, first, same)
    assert "first difference in turn" not in told
    told = compared(page, app, first, edited)
    assert "first difference in turn 2" in told

    other = chromium.new_context().new_page()
    open_app(other, link)
    expect(conversation(other)).to_contain_text("Which way is home?")
    expect(origin(other)).to_contain_text("fork at turn 2")
    other.locator(".st-key-crumb_0 button").first.click()
    settled(other)
    expect(other.locator(".st-key-lower_view_more")).to_contain_text("1 breakpoint")
    expect(origin(other)).to_contain_text("2 forks")
    other.context.close()


def test_two_people_on_one_server_see_nothing_of_each_other_and_find_their_runs_after_restart(
    chromium: Browser, tmp_path
):
    one, two = chromium.new_context().new_page(), chromium.new_context().new_page()
    with streamlit_app(tmp_path) as app:
        for person, word in ((one, "Hello from one"), (two, "Hello from two")):
            open_app(person, app.url)
            start(person)
            say(person, word)
        addresses = {person: person.url for person in (one, two)}
        connect(one, "http://127.0.0.1:9", "the-key-of-one")
        two.get_by_role("link", name="Connection").first.click()
        settled(two)
        two.get_by_role("radio", name="Hosted API").click()
        settled(two)

        expect(two.get_by_role("textbox", name="API key")).to_have_value("")
        assert "the-key-of-one" not in two.content()
        two.get_by_role("radio", name="Embedded engine").click()
        settled(two)
        two.goto(addresses[two])
        settled(two)
        expect(conversation(two)).to_contain_text("Hello from two")
        expect(conversation(two)).not_to_contain_text("Hello from one")
        assert run_id(two) in two.url
        kept = run_id(two)
    with streamlit_app(tmp_path) as again:
        open_app(two, f"{again.url}/?backend=embedded&run={kept}")

        expect(conversation(two)).to_contain_text("Hello from two")
        two.get_by_role("link", name="Runs").first.click()
        settled(two)
        expect(two.locator(".st-key-runs_count")).to_have_text("2 runs")
    one.context.close()
    two.context.close()
