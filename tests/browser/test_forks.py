"""Runs that are left at one of their turns, as a person does it: changed, compared with the way it was, found
again in the tree."""

from __future__ import annotations

import re
import sys

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, Server, free_port, running
from tests.browser.driving import (
    choose_in_menu,
    connect,
    context,
    conversation,
    go_to,
    id_on_view,
    import_workflow,
    keep_import,
    open_app,
    open_workflow,
    origin,
    press_in_bar,
    run_head,
    run_id,
    say,
    settled,
    start,
)
from tests.support.factories import direct, document, static, when
from tests.support.factories import say as talk

SCREENSHOTS = ROOT / "tests/browser/screenshots"

pytestmark = pytest.mark.browser


def desks():
    """Two desks; a variable says which one is open to the caller."""
    return document(
        static("hi", "Welcome"),
        talk("chat"),
        static("gold", "Gold desk"),
        static("plain", "Plain desk"),
        talk("after"),
        direct("hi", "chat"),
        when("chat", "gold", "[[level]] == 'gold'"),
        when("chat", "plain", "1 == 1"),
        direct("gold", "after"),
        direct("plain", "after"),
        name="Desks",
    )


def opened(page: Page, app: Server) -> None:
    open_app(page, app.url)
    import_workflow(page, "desks.json", desks())
    keep_import(page)
    expect(run_head(page)).to_contain_text("Desks")


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def dialog(page: Page):
    return page.get_by_role("dialog")


def fork(page: Page, *, variables: str = "", message: str = "", note: str = "") -> None:
    press_in_bar(page, "fork_turn")
    if message:
        dialog(page).get_by_label("User message").fill(message)
    if variables:
        page.mouse.move(1, 1)  # else the toolbar of the table below it may lie over it
        dialog(page).get_by_text("As JSON").click()
        settled(page)
        box = dialog(page).get_by_label("Runtime variables as JSON")
        box.fill(variables)
        box.press("Control+Enter")
        settled(page)
    if note:
        dialog(page).get_by_label("Note").fill(note)
        dialog(page).get_by_label("Note").press("Enter")
        settled(page)
    press(page, "run_fork")
    expect(dialog(page)).to_have_count(0)


def test_call_goes_another_way_from_its_third_turn_and_way_back_is_kept(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "I'd like to book an appointment.")
    say(page, "I'm Ada Moreno, born 4 May 1990.")
    first = run_id(page)

    press_in_bar(page, "fork_turn")
    expect(dialog(page)).to_contain_text("Verified")
    expect(dialog(page)).to_contain_text("No changes yet.")
    words = dialog(page).get_by_label("User message")
    expect(words).to_have_value("I'm Ada Moreno, born 4 May 1990.")
    words.fill("I'm Tom Fairweather and I have chest pain.")
    words.press("Control+Enter")
    expect(dialog(page)).to_contain_text("~ message")
    page.screenshot(path=SCREENSHOTS / "fork_dialog.png")
    press(page, "run_fork")

    expect(conversation(page)).to_contain_text("That needs care right now")
    expect(origin(page)).to_contain_text("fork at turn 3")
    expect(origin(page)).to_contain_text("Verified")
    assert run_id(page) != first
    assert re.search(f"run={run_id(page)}", page.url)
    page.screenshot(path=SCREENSHOTS / "fork.png")
    press(page, "crumb_0")
    expect(conversation(page)).to_contain_text("Thank you, Ada Moreno")
    expect(id_on_view(page)).to_contain_text(first)


def test_two_forks_of_one_turn_stand_side_by_side_in_tree_and_open_from_there(page: Page, app: Server):
    opened(page, app)
    start(page)
    say(page, "let me in")
    expect(conversation(page)).to_contain_text("Plain desk")
    first = run_id(page)
    press_in_bar(page, "fork_turn")
    press(page, "run_unedited")
    expect(origin(page)).to_contain_text("Verified")
    press(page, "crumb_0")
    expect(id_on_view(page)).to_contain_text(first)

    fork(page, variables='{"level": "gold"}', note="A gold card")
    expect(conversation(page)).to_contain_text("Gold desk")
    expect(origin(page)).to_contain_text("+ runtime.level")
    expect(origin(page)).to_contain_text("2 forks")
    edited = run_id(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    settled(page)
    expect(page.locator(".st-key-open_tree button")).to_be_visible()  # in the conversation's 330 pixels, too
    press(page, "open_tree")
    page.screenshot(path=SCREENSHOTS / "run_tree.png")
    dialog(page).locator("tbody tr").first.click()
    settled(page)

    expect(dialog(page)).to_have_count(0)
    expect(id_on_view(page)).to_contain_text(first)
    assert edited != first


def test_fork_is_found_again_from_its_link_in_another_browser(page: Page, app: Server, chromium: Browser):
    opened(page, app)
    start(page)
    say(page, "let me in")
    fork(page, message="open up")
    expect(origin(page)).to_contain_text("fork at turn 2")

    other = chromium.new_context().new_page()
    open_app(other, page.url)

    expect(conversation(other)).to_contain_text("open up")
    expect(origin(other)).to_contain_text("fork at turn 2")
    expect(origin(other)).to_contain_text("~ message")
    other.context.close()


def test_recorded_inputs_are_sent_to_new_run_which_is_then_person_s(page: Page, app: Server):
    open_workflow(page, app.url, "Clinic front desk")
    start(page)
    say(page, "I'd like to book an appointment.")
    say(page, "I'm Ada Moreno, born 4 May 1990.")
    first = run_id(page)

    choose_in_menu(page, "send_again")
    expect(id_on_view(page)).not_to_contain_text(first)
    expect(context(page)).to_contain_text("Turn 3")

    expect(conversation(page)).to_contain_text("Thank you, Ada Moreno")
    say(page, "A check-up, on Tuesday please.")
    expect(context(page)).to_contain_text("Turn 4")


def test_dialog_is_walked_by_keyboard_and_left_with_escape(page: Page, app: Server):
    opened(page, app)
    start(page)
    say(page, "let me in")

    page.locator(".st-key-more > button").press("Enter")
    expect(page.locator(".st-key-restart button")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".st-key-fork_turn button")).to_be_focused()
    page.keyboard.press("Enter")
    settled(page)
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    settled(page)

    expect(dialog(page)).to_have_count(0)
    expect(conversation(page)).to_contain_text("Plain desk")
    press_in_bar(page, "fork_turn")
    expect(dialog(page)).to_be_visible()


def test_dialog_lies_beside_bright_page_and_keeps_keyboard(page: Page, app: Server):
    page.set_viewport_size({"width": 1280, "height": 720})
    opened(page, app)
    start(page)
    say(page, "let me in")

    press_in_bar(page, "fork_turn")

    expect(dialog(page).get_by_role("button", name="Fork at turn 2")).to_be_in_viewport(ratio=1)
    box = dialog(page).locator("..").bounding_box()
    assert (box["x"] + box["width"], box["y"], box["height"]) == (1280, 0, 720)
    assert 560 <= box["width"] <= 640
    ground = page.get_by_test_id("stDialog").evaluate("it => getComputedStyle(it).backgroundColor")
    assert ground == "rgba(0, 0, 0, 0)"
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("Boolean(document.activeElement.closest('[role=dialog]'))")
    page.set_viewport_size({"width": 820, "height": 1180})
    expect(dialog(page).get_by_role("button", name="Fork at turn 2")).to_be_in_viewport(ratio=1)
    assert dialog(page).locator("..").bounding_box()["width"] == 820
    footer = page.locator(".st-key-dialog_footer").bounding_box()
    assert 1150 < footer["y"] + footer["height"] <= 1180


def test_click_beside_dialog_leaves_it_open_with_what_is_typed(page: Page, app: Server):
    opened(page, app)
    start(page)
    say(page, "let me in")
    press_in_bar(page, "fork_turn")
    words = dialog(page).get_by_label("User message")
    words.fill("open the back door")

    page.mouse.click(300, 400)
    settled(page)

    expect(words).to_have_value("open the back door")
    expect(words).to_be_focused()


def test_fork_that_was_left_is_there_again_until_cancelled(page: Page, app: Server):
    opened(page, app)
    start(page)
    say(page, "let me in")
    words = dialog(page).get_by_label("User message")
    press_in_bar(page, "fork_turn")
    words.fill("open the back door")

    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    press_in_bar(page, "fork_turn")
    expect(words).to_have_value("open the back door")
    press(page, "cancel_fork")
    expect(dialog(page)).to_have_count(0)
    press_in_bar(page, "fork_turn")

    expect(words).to_have_value("let me in")


def test_without_checkpoints_fork_is_rebuilt_and_says_how_faithful_it_is(page: Page, app: Server, tmp_path):
    port, key = free_port(), "sk-forks"
    command = [sys.executable, "-m", "debugger", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--database", f"sqlite:///{tmp_path}/hosted.sqlite3", "--api-key", key]
    with running(command, "/healthz", port, tmp_path) as api:
        open_app(page, app.url)
        connect(page, f"{api.url}/workflows", key)
        go_to(page, "Debug")
        import_workflow(page, "desks.json", desks())
        keep_import(page)
        start(page)
        say(page, "let me in")
        first = run_id(page)

        press_in_bar(page, "fork_turn")
        expect(dialog(page)).to_contain_text("Rebuilt from the record")
        expect(dialog(page)).to_contain_text("Not checked")
        page.screenshot(path=SCREENSHOTS / "fork_hosted.png")
        press(page, "run_unedited")

        expect(conversation(page)).to_contain_text("Plain desk")
        expect(origin(page)).to_contain_text("fork at turn 2")
        assert run_id(page) != first
        press(page, "crumb_0")
        expect(id_on_view(page)).to_contain_text(first)
        press_in_bar(page, "fork_turn")
        dialog(page).get_by_text("Turns 1 to n run again").click()
        settled(page)
        press(page, "run_unedited")
        expect(origin(page)).to_contain_text("Replayed from turn 1")
        expect(conversation(page)).to_contain_text("Welcome")
