from __future__ import annotations

import json
import re

import pytest

from debugger.views.navigation import ViewMode
from debugger.views.panels.tour import STEPS, TourState
from tests.support.factories import document, say
from tests.support.ui_texts import PACKAGE
from tests.views.bars import control, use
from tests.views.records import record_of


@pytest.fixture
def app(app, backend):
    """The page Debug with a workflow that was never run."""
    backend.create_workflow(document(say("chat")))
    return app


def tour(app):
    """Return what the browser gets of the tour; ``None`` where it is not drawn."""
    found = [
        json.loads(each.proto.json) for each in app.get("bidi_component") if "is_first" in each.proto.json
    ]
    return found[0] if found else None


def test_first_visit_is_offered_the_tour(app):
    app.run()

    assert tour(app)["is_first"] is True
    assert [step["title"] for step in json.loads(tour(app)["steps"])] == [step.title for step in STEPS]
    assert len(STEPS) == 4


def test_store_with_runs_offers_none(app, press, view):
    app.run()
    press("start")
    later = view("debug")

    later.run()

    assert tour(later)["is_first"] is False


def test_demo_view_has_none(app, record):
    app.run()

    use(app, "skin")

    assert record(ViewMode).is_demo
    assert tour(app) is None


def test_button_shows_it_on_the_page_debug(view):
    page = view("help")
    page.run()

    control(page, "take_tour").click().run()

    assert page.get("bidi_component")
    assert record_of(page, TourState).requests == 1


def test_steps_name_places_of_the_page():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "views").rglob("*.py"))
    style = (PACKAGE / "views" / "style.css").read_text(encoding="utf-8")
    keys = [key for step in STEPS for target in step.targets for key in re.findall(r"st-key-(\w+)", target)]

    assert [key for key in keys if f'"{key}"' not in sources and f"st-key-{key}" not in style] == []
