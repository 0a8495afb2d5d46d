"""The controls, tables, banners and badges of each page, compared with those of the page /style."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.driving import go_to, open_app, open_setup, press_in_bar, settled
from tests.browser.presenting import CALL, SCHEME, clinic_call

pytestmark = pytest.mark.browser

SCREENSHOTS = ROOT / "tests" / "browser" / "screenshots"
COLOUR = "element => getComputedStyle(element).color"
WEIGHTS = ("primary", "bordered", "plain")
_FIND = """() => {
  const BUTTON = weight => `:is(button, a)[kind^=${weight}]`;
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = colour => { // a colour may be written in several ways
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data].map(each => Math.round(each / 4) * 4).join(" ");
  };
  const KINDS = {
    "primary": BUTTON("primary"),
    "bordered": BUTTON("secondary"),
    "plain": BUTTON("tertiary"),
    "field": ":is([data-testid=stTextInput], [data-testid=stSelectbox], [data-testid=stNumberInput]) input",
    "banner": "[data-testid=stAlertContainer]",
    "badge": ".stMarkdownBadge",
    "value": "[data-testid=stText]",
    "label": "[data-testid=stWidgetLabel] p",
  };
  const OF_BARS = {
    "primary": ".bar button.primary",
    "bordered": ".bar > .part > button.secondary",
    "plain": ".bar > .part > button.tertiary",
    "badge": ".bar .badge",
    "segment": ".bar .segments button",
    "tab": ".bar .tabs button",
    "field of a bar": ".bar > .field input, .bar > .day input, .low .choice select",
  };
  const OF_TABLES = { "head": "thead th", "cell": "tbody td" };
  const shown = each => each.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && each.getBoundingClientRect().width > 4;
  const lookOf = (kind, each) => {
    const css = getComputedStyle(each), { height } = each.getBoundingClientRect(), look = {
      "font size": css.fontSize, "weight": css.fontWeight,
      "colour": rgba(css.color), "ground": rgba(css.backgroundColor),
      "padding": css.padding, "radius": css.borderRadius,
      "border": `${css.borderTopWidth} ${css.borderTopStyle}`,
    };
    // Between rows it tells where a turn begins.
    if (parseFloat(css.borderTopWidth) && kind !== "cell") look["border colour"] = rgba(css.borderTopColor);
    if (!["banner", "value", "label", "badge", "cell"].includes(kind)) look.height = Math.round(height);
    if (["segment", "label", "value"].includes(kind)) delete look.radius;
    return look;
  };
  const found = [];
  const collect = (root, kinds, place) => {
    for (const [kind, one] of Object.entries(kinds)) for (const each of root.querySelectorAll(one)) {
      if (!shown(each)) continue;
      const state = each.matches(":disabled") ? ", disabled"
        : each.matches("[aria-checked=true], [aria-selected=true] td") ? ", chosen"
        : each.matches("[aria-current]") ? ", current" : "";
      const name = (each.ariaLabel || each.textContent.trim() || each.placeholder || "").slice(0, 40);
      const where = each.closest(".bar:has(> .tabs)") ? "bar of tabs" : place; // it is flat
      found.push([kind + state, where, name, lookOf(kind, each), Boolean(each.closest(".icon-only"))]);
    }
  };
  const walk = root => {
    for (const each of root.querySelectorAll("*")) if (each.shadowRoot) {
      const inner = each.shadowRoot;
      if (inner.querySelector(".bar")) collect(inner, OF_BARS, "bar");
      else if (inner.querySelector(".box > table, .box table thead")) collect(inner, OF_TABLES, "table");
      walk(inner);
    }
  };
  collect(document, KINDS, "form");
  walk(document);
  return found;
}"""


class Found(NamedTuple):
    """A control of a page."""

    kind: str
    place: str
    """A form, a bar, a bar of tabs or a table."""
    name: str
    look: dict[str, Any]
    is_icon: bool


def controls(page: Page) -> list[Found]:
    """Return the controls on view, with their computed styles."""
    settled(page)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement?.blur()")
    page.wait_for_timeout(400)  # what changes its colour under the pointer takes a moment to change back
    return [Found(*each) for each in page.evaluate(_FIND)]


def looks(found: list[Found]) -> dict[str, list[dict[str, Any]]]:
    """Return the looks by kind."""
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in found:
        if each.look not in by_kind[each.kind]:
            by_kind[each.kind].append(each.look)
    return by_kind


def deviations(found: list[Found], known: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return what has a look that the page /style does not show, with the nearest one there."""
    lines = []
    for each in found:
        if each.look in known[each.kind]:
            continue
        differing = [
            {
                name: (each.look.get(name), look.get(name))
                for name in look
                if each.look.get(name) != look[name]
            }
            for look in known[each.kind]
        ]
        nearest = min(differing, key=len) if differing else "there is none"
        lines.append(f"{each.kind} in a {each.place}, {each.name!r}: {nearest}")
    return list(dict.fromkeys(lines))


def open_style(page: Page, url: str) -> None:
    """Open the page /style and wait for its bars and its table, which are drawn a moment later."""
    open_app(page, f"{url}/style")
    page.locator(".st-key-style_badges_bar .badge").first.wait_for()
    page.locator(".st-key-style_primary_bar button").first.wait_for()
    page.locator(".st-key-style_table tbody tr").first.wait_for()


def pages(page: Page, url: str) -> Iterator[str]:
    """Visit each page of the app and its side dialogs."""
    clinic_call(page, url, CALL[:2])
    yield "Debug"
    press_in_bar(page, "fork_turn")
    yield "fork"
    page.keyboard.press("Escape")
    page.locator(".st-key-export button").first.click()
    yield "export"
    page.keyboard.press("Escape")
    settled(page)
    open_setup(page)
    yield "setup"
    page.keyboard.press("Escape")
    settled(page)
    for name in ("Runs", "Compare", "Suites", "Review", "Connection"):
        go_to(page, name)
        yield name
    page.get_by_role("button", name="Help").first.click()
    yield "Help"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_the_looks_of_the_style_page(page: Page, app: Server, scheme: str):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.emulate_media(color_scheme=scheme)
    open_style(page, app.url)
    page.wait_for_function(SCHEME, arg=scheme)
    shown = controls(page)
    page.screenshot(path=SCREENSHOTS / f"style_{scheme}.png", full_page=True)

    known = looks(shown)
    found = {name: deviations(controls(page), known) for name in pages(page, app.url)}

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_each_weight_is_one_look_in_forms_and_bars(page: Page, app: Server):
    open_style(page, app.url)

    shown = [each for each in controls(page) if not each.is_icon]

    for weight in WEIGHTS:
        of_forms = looks([each for each in shown if each.kind == weight and each.place == "form"])[weight]
        of_bars = looks([each for each in shown if each.kind == weight and each.place == "bar"])[weight]
        assert of_forms == of_bars, weight
        assert len(of_forms) == 1, weight


def test_button_of_open_menu_stays_legible(page: Page, app: Server):
    page.emulate_media(color_scheme="dark")
    open_style(page, app.url)
    button = page.locator(".st-key-style_tertiary_menu button")
    colour = button.evaluate(COLOUR)

    button.click()
    settled(page)

    assert button.evaluate(COLOUR) == colour


def test_what_opens_over_page_has_its_colour_scheme(page: Page, app: Server):
    page.emulate_media(color_scheme="dark")
    open_style(page, app.url)

    page.locator(".st-key-style_tertiary_menu button").click()

    menu = page.get_by_test_id("stPopoverBody")
    expect(menu).to_have_css("color-scheme", "dark")
    page.emulate_media(color_scheme="light")
    expect(menu).to_have_css("color-scheme", "light")
