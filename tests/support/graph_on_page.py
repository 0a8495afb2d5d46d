"""The graph on a page, with whatever is around it: what of it is in view, and how large."""

from __future__ import annotations

from playwright.sync_api import Page

OVERLAPS = """() => {
  const root = [...document.querySelectorAll("*")].map(each => each.shadowRoot)
    .find(each => each && each.querySelector(".node"));
  const view = root.querySelector(".view");
  const box = each => each.getBoundingClientRect(), isDrawn = each => box(each).width > 0;
  const boxes = what => [...view.querySelectorAll(what)].filter(isDrawn).map(box);
  const meet = (a, b) =>
    a.left + 1 < b.right && b.left + 1 < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom;
  const labels = boxes(".edge .label"), nodes = boxes(".node .body");
  const names = boxes(".node .title, .name");
  const badges = boxes(".mark rect, .pin circle, .dot:not(.none) .shape");
  const out = [...view.querySelectorAll(".node:not(.group)")].filter(node => {
    const body = box(node.querySelector(".body"));
    const texts = [...node.querySelectorAll(".title")].filter(isDrawn).map(box);
    return texts.some(text => text.left < body.left || text.right > body.right);
  });
  const marks = [...view.querySelectorAll(".mark")].filter(isDrawn);
  return {
    "labels on nodes": labels.filter(label => nodes.some(node => meet(label, node))).length,
    "labels on names": labels.filter(label => names.some(name => meet(label, name))).length,
    "nodes on names of groups": boxes(".name").filter(name => nodes.some(node => meet(name, node))).length,
    "labels on labels": labels.filter((a, at) => labels.slice(at + 1).some(b => meet(a, b))).length,
    "badges on labels": badges.filter(badge => labels.some(label => meet(badge, label))).length,
    "badges on names": badges.filter(badge => names.some(name => meet(badge, name))).length,
    "badges on badges": badges.filter((a, at) => badges.slice(at + 1).some(b => meet(a, b))).length,
    "badges out of their ground": marks.filter(mark => {
      const ground = box(mark.querySelector("rect")), text = box(mark.querySelector("text"));
      return text.left < ground.left || text.right > ground.right;
    }).length,
    "names out of their box": out.length,
  };
}"""
NAME_HEIGHT = """title => {
  const { a } = title.getScreenCTM();
  return a * parseFloat(getComputedStyle(title).fontSize);
}"""
"""The font size of a name on the screen."""
FIND = """[...document.querySelectorAll("*")].map(each => each.shadowRoot)
  .find(each => each && each.querySelector(".node"))"""
IN_PANE = f"""() => {{
  const root = {FIND}, stage = root.querySelector(".stage").getBoundingClientRect();
  const foot = root.querySelector(".foot").getBoundingClientRect();
  return [...root.querySelectorAll(".node .body")].map(each => each.getBoundingClientRect()).every(
    ({{ left, right, top, bottom }}) =>
      left >= stage.left && right <= stage.right && top >= stage.top && bottom <= foot.top);
}}"""
SIZES_OF_TEXTS = f"""() => {{
  const root = {FIND}, pane = root.querySelector(".stage").getBoundingClientRect();
  const isOnView = ({{ width, left, right, top, bottom }}) =>
    width > 0 && right > pane.left && left < pane.right && bottom > pane.top && top < pane.bottom;
  const texts = [...root.querySelectorAll(".view text, .foot li, .foot summary, .foot button")];
  const scaleOf = each => each.getScreenCTM ? each.getScreenCTM().a : 1;
  return texts.filter(each => each.textContent.trim() && isOnView(each.getBoundingClientRect()))
    .map(each => scaleOf(each) * parseFloat(getComputedStyle(each).fontSize));
}}"""
INSIDE = f"""([outer, inner]) => {{
  const root = {FIND};
  const box = id => root.querySelector(`.node[data-id="${{id}}"] :is(.body, .room)`).getBoundingClientRect();
  const around = box(outer);
  return inner.map(box).every(({{ left, right, top, bottom }}) =>
    left > around.left && right < around.right && top > around.top && bottom < around.bottom);
}}"""


def overlaps(page: Page) -> dict[str, int]:
    """Count overlaps of the graph's texts."""
    return page.evaluate(OVERLAPS)


def view_of(page: Page) -> str:
    """Return the position and scale of the graph."""
    return page.locator(".scene[transform]").get_attribute("transform") or ""


def scale_of(page: Page) -> float:
    """Return the scale of the graph."""
    return float(view_of(page).split("scale(")[1].rstrip(")"))


def heights_of_names(page: Page) -> list[float]:
    """Return the font sizes of the nodes' names on the screen."""
    names = page.locator(".node .title:visible")
    return [name.evaluate(NAME_HEIGHT) for name in names.all()[:20]]


def sizes_of_texts(page: Page) -> list[float]:
    """Return the font sizes on the screen of all texts of the graph that are in its pane."""
    return page.evaluate(SIZES_OF_TEXTS)


def are_nodes_in_pane(page: Page) -> bool:
    """Return whether every node is in the pane, above its legend and controls."""
    return bool(page.evaluate(IN_PANE))


def is_in_pane(page: Page, part: str) -> bool:
    """Return whether the first of these parts is wholly in the pane of the graph."""
    inner, outer = page.locator(part).first.bounding_box(), page.locator(".stage:visible").bounding_box()
    return all(
        outer[start] <= inner[start] and inner[start] + inner[size] <= outer[start] + outer[size]
        for start, size in (("x", "width"), ("y", "height"))
    )
