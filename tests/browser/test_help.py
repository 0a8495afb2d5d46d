"""Help and tour in the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

import pytest
from playwright.sync_api import Browser, Page, expect

from debugger.views.panels.tour import STEPS
from tests.browser.conftest import Server, streamlit_app
from tests.browser.driving import open_app, resting_place, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def unused_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with a store without runs."""
    with streamlit_app(tmp_path_factory.mktemp("unused")) as server:
        yield server


@pytest.fixture
def first_visit(chromium: Browser) -> Iterator[Page]:
    """A page of a browser that has never been here."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_search_result_leads_to_its_heading(page: Page, app: Server):
    open_app(page, f"{app.url}/help")
    page.get_by_role("textbox", name="Search Help").fill("blocked call")
    page.keyboard.press("Enter")

    page.get_by_role("link", name=re.compile("A call was blocked")).click()

    heading = page.get_by_role("heading", name="A call was blocked")
    expect(heading).to_be_in_viewport()
    expect(heading).to_be_focused()
    expect(page).to_have_url(re.compile(r"topic=troubleshooting&at=a-call-was-blocked"))
    page.go_back()
    expect(page.get_by_role("heading", name="First run in five minutes")).to_be_visible()


def test_address_of_a_heading_opens_there(page: Page, app: Server):
    open_app(page, f"{app.url}/help?topic=guide&at=conditions")

    expect(page.get_by_role("heading", name="Conditions")).to_be_in_viewport()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (853, 480)], ids=["100 %", "150 %"])
def test_help_opens_at_its_top(page: Page, app: Server, width: int, height: int):
    page.set_viewport_size({"width": width, "height": height})
    open_app(page, f"{app.url}/help?topic=team&at=upgrades")
    expect(page.get_by_role("heading", name="Upgrades")).to_be_in_viewport()

    page.get_by_role("link", name="Fork and compare").first.click()

    expect(page.get_by_role("heading", name="Fork and compare")).to_be_focused()
    expect(page.get_by_role("heading", name="Fork and compare")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("textbox", name="Search Help")).to_be_in_viewport(ratio=1)
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
    boxes = [each.bounding_box() for each in page.get_by_role("link").all() if each.is_visible()]
    placed = [box for box in boxes if box and box["x"] + box["width"] <= width]
    assert len(placed) > 20
    assert [pair for pair in combinations(placed, 2) if overlap(*pair)] == []


def overlap(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Return whether two boxes share more than their borders."""
    return all(
        one[start] + 1 < other[start] + other[length] and other[start] + 1 < one[start] + one[length]
        for start, length in (("x", "width"), ("y", "height"))
    )


def test_link_in_a_text_keeps_the_session(page: Page, app: Server):
    open_app(page, f"{app.url}/help?topic=hosted")
    page.get_by_role("textbox", name="Search Help").fill("key")
    page.keyboard.press("Enter")
    settled(page)

    page.get_by_role("link", name="connections", exact=True).click()

    expect(page.get_by_role("heading", name="Connections", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("textbox", name="Search Help")).to_have_value("key")


def test_error_leads_to_its_place(page: Page, app: Server):
    open_app(page, f"{app.url}/?run=0123456789abcdef01234567")

    page.get_by_role("link", name="Help: What to do").first.click()

    expect(page.get_by_role("heading", name="A run or a workflow is not found")).to_be_in_viewport()


def test_first_visit_has_four_steps_at_real_controls(first_visit: Page, unused_app: Server):
    first_visit.goto(unused_app.url)
    card, frame = first_visit.get_by_role("dialog"), first_visit.locator(".st-key-tour .frame")
    expect(frame).to_be_visible(timeout=15_000)
    label = first_visit.locator(".st-key-setup_form").get_by_text("Workflow", exact=True).first
    assert frame.bounding_box()["x"] + 4 <= label.bounding_box()["x"]  # it is around the words, not on them
    titles = []
    for number in range(1, 5):
        expect(card).to_contain_text(f"Step {number} of 4")
        expect(frame).to_be_visible()
        titles.append(card.get_by_role("heading").inner_text())
        first_visit.keyboard.press("Enter")  # the button has the keyboard

    expect(card).to_be_hidden()
    assert len(set(titles)) == 4
    first_visit.reload()
    expect(first_visit.locator(".st-key-start_bar button")).to_be_visible()
    settled(first_visit)
    expect(card).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (853, 480)])
def test_tour_covers_nothing_it_points_at(first_visit: Page, unused_app: Server, width: int, height: int):
    first_visit.set_viewport_size({"width": width, "height": height})
    first_visit.goto(unused_app.url)
    card = first_visit.get_by_role("dialog")
    expect(card).to_contain_text("Step 1 of 4", timeout=15_000)
    settled(first_visit)
    covered = []
    for number, step in enumerate(STEPS, start=1):
        expect(card).to_contain_text(f"Step {number} of 4")
        expect(first_visit.locator(".st-key-tour .frame")).to_be_visible()
        there = next(each for each in map(first_visit.locator, step.targets) if each.first.is_visible())
        around, target = resting_place(card), resting_place(there.first)
        assert around["x"] >= 0
        assert around["y"] >= 0
        assert around["x"] + around["width"] <= width
        assert around["y"] + around["height"] <= height
        covered += [step.title] if overlap(around, target) else []
        card.locator(".next").click()

    assert covered == []


def test_tour_is_skipped_by_escape_and_leaves_controls_free(first_visit: Page, unused_app: Server):
    first_visit.goto(unused_app.url)
    card = first_visit.get_by_role("dialog")
    expect(card).to_contain_text("Step 1 of 4")

    first_visit.locator(".st-key-lower_bar").get_by_text("Mocks", exact=True).click()
    expect(first_visit.get_by_text("Who answers model calls").first).to_be_visible()
    expect(card).to_be_visible()
    first_visit.keyboard.press("Escape")

    expect(card).to_be_hidden()


def test_escape_closes_menu_before_tour(first_visit: Page, unused_app: Server):
    first_visit.goto(unused_app.url)
    card = first_visit.get_by_role("dialog")
    expect(card).to_contain_text("Step 1 of 4")
    settled(first_visit)
    first_visit.locator(".st-key-more > button").click()
    menu = first_visit.locator(".st-key-more .menu")
    expect(menu).to_be_visible()

    first_visit.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    expect(card).to_be_visible()


def test_tour_can_be_taken_again(first_visit: Page, unused_app: Server):
    first_visit.add_init_script("localStorage.setItem('workflow-debugger.tour', 'seen')")
    first_visit.goto(f"{unused_app.url}/help")

    first_visit.get_by_role("button", name="Take the tour").click()

    card = first_visit.get_by_role("dialog")
    expect(card).to_contain_text("Step 1 of 4")
    card.get_by_role("button", name="Next").click()
    card.get_by_role("button", name="Back").click()
    card.get_by_role("button", name="Skip the tour").click()
    expect(card).to_be_hidden()


def test_tour_goes_on_by_itself_once_run_has_begun(first_visit: Page, unused_app: Server):
    """The last of the tour: a store with a run offers none."""
    first_visit.goto(unused_app.url)
    card = first_visit.get_by_role("dialog")
    expect(card).to_contain_text("Step 1 of 4")
    settled(first_visit)

    first_visit.locator(".st-key-start button").first.click()

    expect(card).to_contain_text("Step 3 of 4")
