"""A table of rows in a browser: chosen from by mouse and keyboard, and drawn anew."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from debugger.views.components.rows import Column, Table, rows_list, table
from tests.components.driving import Host

pytestmark = pytest.mark.browser


def cups(*names: str) -> Table:
    columns = [(Column("name", "Name", 90, grows=True), lambda name: name)]
    return table("Cups", names, columns, lambda name: name)


def test_rows_are_read_and_chosen_from_by_keys(host: Host):
    shown, chosen = cups(*(f"Cup {number}" for number in range(40))), []

    def draw() -> None:
        place = shown.place_of(chosen[-1]) if chosen else None
        rows_list("cups", shown, chosen=place, on_choose=chosen.append, most=8)

    host.draw(draw)
    rows = host.page.locator("tbody tr")

    rows.last.focus()
    host.page.keyboard.press("Home")
    host.page.keyboard.press("ArrowDown")
    host.page.keyboard.press("Enter")
    host.answer()

    expect(rows.nth(1)).to_be_focused()
    expect(rows.nth(1)).to_be_in_viewport(ratio=1)
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    host.page.keyboard.press("Enter")
    host.answer()
    expect(host.page.locator("tr[aria-selected=true]")).to_have_count(0)
    assert chosen == ["Cup 1", None]
    assert host.keys == []


def test_heads_that_sort_are_one_stop_of_tab(host: Host):
    sorted_by: list[str] = ["kind"]

    def draw() -> None:
        columns = [
            (Column(name, label, 90, sort="ascending" if name == sorted_by[-1] else "none"), str)
            for name, label in (("name", "Name"), ("kind", "Kind"), ("price", "Price"))
        ]
        shown = table("Cups", ["Tea"], columns, str)
        rows_list("cups", shown, on_choose=print, on_use=lambda _, name, __: sorted_by.append(name))

    host.draw(draw)
    heads = host.page.locator("thead button")

    host.page.keyboard.press("Tab")
    expect(heads.nth(1)).to_be_focused()
    host.page.keyboard.press("ArrowRight")
    host.page.keyboard.press("Enter")
    host.answer()
    expect(heads.nth(2)).to_be_focused()
    host.page.keyboard.press("ArrowRight")
    expect(heads.nth(2)).to_be_focused()
    host.page.keyboard.press("Home")
    expect(heads.first).to_be_focused()
    host.page.keyboard.press("Tab")

    expect(host.page.locator("tbody tr")).to_be_focused()
    assert sorted_by == ["kind", "price"]
    assert host.keys == ["Tab", "Enter", "Tab"]


def test_row_that_is_kept_stays_chosen_when_it_is_clicked_again(host: Host):
    shown, chosen = cups("Tea", "Milk"), []

    def draw() -> None:
        place = shown.place_of(chosen[-1]) if chosen else 0
        rows_list("cups", shown, chosen=place, on_choose=chosen.append, keeps=True)

    host.draw(draw)
    rows = host.page.locator("tbody tr")

    for at in (0, 1, 1):
        rows.nth(at).click()
        host.answer()
        expect(host.page.locator("tr[aria-selected=true]")).to_have_text(["Tea", "Milk"][at])

    assert chosen == ["Tea", "Milk", "Milk"]


@pytest.mark.parametrize(("follows", "name"), [(False, "Tea"), (True, "Milk")])
def test_tab_leads_to_the_first_row_or_to_the_end_that_is_followed(host: Host, follows, name):
    host.draw(lambda: rows_list("cups", cups("Tea", "Coffee", "Milk"), on_choose=print, follows=follows))

    host.page.locator("body").press("Tab")

    expect(host.page.locator("tr:focus")).to_have_text(name)


def test_row_that_goes_leaves_keyboard_to_the_next(host: Host):
    names = ["Tea", "Coffee", "Milk"]
    host.draw(lambda: rows_list("cups", cups(*names), on_choose=lambda name: None))
    host.page.locator("tbody tr").nth(1).focus()

    names.remove("Coffee")
    host.answer()

    expect(host.page.locator("tbody tr").nth(1)).to_be_focused()
    expect(host.page.locator("tbody tr").nth(1)).to_have_text("Milk")


def test_checked_rows_are_told_together(host: Host):
    used: list[Any] = []
    columns = [
        (Column("full", "Full", 30, "check"), lambda name: (f"{name} is full", name == "Tea")),
        (Column("name", "Name", 90, grows=True), lambda name: name),
    ]
    shown = table("Cups", ["Tea", "Coffee", "Milk"], columns, lambda name: name)
    host.draw(
        lambda: rows_list("cups", shown, on_choose=used.append, on_use=lambda *words: used.append(words))
    )

    host.page.locator("tbody tr").nth(2).focus()
    host.page.keyboard.press("Space")
    host.answer()

    assert used == [(["Tea", "Milk"], "full", None)]


def test_click_beside_a_box_ticks_and_chooses_nothing(host: Host):
    used: list[Any] = []
    columns = [
        (Column("full", "Full", 60, "check"), lambda name: (f"{name} is full", False)),
        (Column("name", "Name", 90, grows=True), lambda name: name),
    ]
    shown = table("Cups", ["Tea", "Coffee"], columns, lambda name: name)
    host.draw(
        lambda: rows_list("cups", shown, on_choose=used.append, on_use=lambda *words: used.append(words))
    )

    host.page.locator("td.check").nth(1).click(position={"x": 6, "y": 6})
    host.answer()

    assert used == [(["Coffee"], "full", None)]


def test_boxes_rest_until_they_are_needed(host: Host):
    columns = [
        (Column("full", "Full", 30, "check", rests=True), lambda name: (f"{name} is full", False)),
        (Column("name", "Name", 90, grows=True), lambda name: name),
    ]
    shown = table("Cups", ["Tea", "Coffee"], columns, lambda name: name)
    host.draw(lambda: rows_list("cups", shown, on_choose=lambda _: None, on_use=lambda *_: None))
    boxes = host.page.locator("tbody input")

    def seen():
        return boxes.evaluate_all("all => all.map(each => getComputedStyle(each).opacity === '1')")

    host.page.mouse.move(600, 500)
    at_rest = seen()
    host.page.locator("tbody tr").nth(1).hover()
    below_pointer = seen()
    host.page.mouse.move(600, 500)
    host.page.locator("tbody tr").nth(0).focus()
    with_keyboard = seen()
    host.page.keyboard.press("Space")

    assert at_rest == [False, False]
    assert below_pointer == [False, True]
    assert with_keyboard == [True, False]
    assert seen() == [True, True]


def test_marked_text_is_whole_with_signs(host: Host):
    tea = "green tea " * 30
    words = [
        ("Desk  ", "quiet"),
        ("I would like ", "same"),
        (tea, "removed"),
        (" please", "same"),
    ]
    columns = [
        (Column("turn", "Turn", 46, "number"), lambda _: "1"),
        (Column("a", "A", 120, "marks", grows=True), lambda row: row),
    ]
    host.draw(lambda: rows_list("said", table("Said", [words, [("no", "added")]], columns)))

    cells = host.page.locator("td.marks")
    expect(cells.first.locator("del")).to_have_text("− " + tea)
    expect(cells.last.locator("ins")).to_have_text("+ no")
    assert cells.first.evaluate("e => e.scrollHeight <= e.clientHeight && e.clientHeight > 30")
    box = host.page.locator(".box")
    assert box.evaluate("e => e.scrollHeight <= e.clientHeight + 1")


def test_text_from_right_to_left_shows_its_beginning(host: Host):
    message = "שלום, אני רוצה לקבוע תור למחר בבוקר"
    host.draw(lambda: rows_list("said", cups(message, "I can book"), on_choose=lambda name: None))

    expect(host.page.get_by_role("gridcell", name=message)).to_have_css("direction", "rtl")
    expect(host.page.get_by_role("gridcell", name="I can book")).to_have_css("direction", "ltr")
