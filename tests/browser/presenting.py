"""Runs to look at, and the words of the tests that show them."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.driving import open_workflow, say, settled, start

CALL = (
    "I'd like to book an appointment, please.",
    "My name is Ada Moreno, born March 3rd 1990.",
    "Before I go on, what are your opening hours?",
    "Good to know. It's about a sore knee, and Tuesday would be best.",
)

SCHEME = "scheme => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme"
"""Compares the colour scheme of the page, in the browser."""


def clinic_call(page: Page, url: str, lines: tuple[str, ...] = CALL) -> None:
    """Hold a conversation with the clinic."""
    open_workflow(page, url, "Clinic front desk")
    start(page)
    for line in lines:
        say(page, line)


def press(page: Page, keys: str) -> None:
    """Press keys while nothing has the keyboard."""
    settled(page)  # a message box that is being drawn takes the keyboard
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(keys)
    settled(page)


def width_of_page(page: Page) -> tuple[int, int]:
    """Return the widths of the page's content and its window."""
    found = page.evaluate(
        "[document.querySelector('[data-testid=stMain]').scrollWidth,"
        " document.querySelector('[data-testid=stMain]').clientWidth]"
    )
    return found[0], found[1]
