"""Graphs of three sizes: fitted, followed, unfolded and read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.driving import import_workflow, keep_import, open_app, say, settled, start
from tests.support.factories import Json, direct, document, static, when
from tests.support.factories import say as say_node
from tests.support.graph_on_page import (
    INSIDE,
    are_nodes_in_pane,
    is_in_pane,
    overlaps,
    sizes_of_texts,
    view_of,
)
from tests.support.super_nodes import super_node

pytestmark = pytest.mark.browser

HALLS, LEAST = 4, 10.99
"""The size in pixels below which no text is, rounding aside."""


def building(nodes: int) -> Json:
    """Return halls one after the other, each with rooms at its sides, and one room with more inside."""
    inside = document(static("a", "Hello"), say_node("ask"), direct("a", "ask"))
    halls = [say_node(f"hall{number}", self_loop=False) for number in range(HALLS)]
    rooms = [static(f"room{number}", "Hi", name=f"Room {number}") for number in range(nodes - HALLS - 1)]
    doors = [
        when(f"hall{number % HALLS}", room["logical_id"], f'[[key]] == "{number}"')
        for number, room in enumerate(rooms)
    ]
    ways = [direct(f"hall{number}", f"hall{number + 1}") for number in range(HALLS - 1)]
    ways.append(when("hall0", "box", '[[key]] == "box"'))
    return document(*halls, *rooms, super_node("box", inside), *doors, *ways, name=f"Building of {nodes}")


@pytest.mark.parametrize("nodes", [18, 100, 300])
def test_graph_is_fitted_followed_and_unfolded(page: Page, app: Server, nodes: int):
    page.set_viewport_size({"width": 1280, "height": 720})
    open_app(page, app.url)
    import_workflow(page, "building.json", building(nodes))
    keep_import(page)
    expect(page.locator(".node")).to_have_count(nodes)
    page.get_by_role("button", name="Fit", exact=True).click()
    assert are_nodes_in_pane(page)
    if nodes > 18:  # the small one is wholly on view
        page.get_by_role("button", name="Current", exact=True).evaluate("button => button.click()")

    start(page)
    views = {view_of(page)}
    for number in range(1, HALLS):
        say(page, f"To hall {number}, please.")
        expect(page.locator(".node.current")).to_have_attribute("data-id", f"hall{number}")
        assert is_in_pane(page, ".node.current .body")
        assert min(sizes_of_texts(page)) >= LEAST
        assert not any(overlaps(page).values())
        views.add(view_of(page))
    assert len(views) > 1 or nodes < 100  # the small one is wholly on view

    page.locator(".node[data-id='box']").focus()
    page.keyboard.press("u")
    expect(page.locator(".node")).to_have_count(nodes + 2)
    settled(page)
    assert page.evaluate(INSIDE, ["box", ["box/a", "box/ask"]])
    assert is_in_pane(page, ".node[data-id='box'] .room")
    assert min(sizes_of_texts(page)) >= LEAST
    page.keyboard.press("u")
    expect(page.locator(".node")).to_have_count(nodes)
