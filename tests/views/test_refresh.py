"""Panes that are drawn again after a change."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from debugger.views import refresh
from debugger.views.refresh import Pane, RedrawState
from debugger.views.run_state import CurrentRun
from tests.views.records import keep_records


class Rerun(BaseException):
    """End of a run that is followed by another."""


class Shown:
    """Contents of panes by name, as the panels would declare them."""

    def __init__(self, *names: str) -> None:
        self.now = dict.fromkeys(names, 0)

    def depends_on(self, name):
        return lambda session: self.now[name]


@pytest.fixture
def redraw(monkeypatch):
    """The panes of a tab without a browser."""
    redraw = RedrawState()
    session = SimpleNamespace(stop_point="here")  # so that nothing is polled
    keep_records(monkeypatch, redraw, CurrentRun(session))
    monkeypatch.setattr(refresh.actions, "collect_finished_turn", lambda: None)
    monkeypatch.setattr(refresh, "fragment_ids", lambda: ["fragment"])
    return redraw


@pytest.fixture
def reruns(monkeypatch):
    """The reruns that were requested, each with its fragments; as Streamlit's they end the run."""
    found = []

    def rerun(names="page"):
        found.append(names)
        raise Rerun

    monkeypatch.setattr(refresh.st, "rerun", rerun)
    return found


def drawn(redraw, *names):
    """Draw panes, and return what they show."""
    shown = Shown(*names)
    for name in names:
        with Pane(name, lambda view: None, shown.depends_on(name))._noted(None):
            pass
    return shown


def press(own, do=lambda: None):
    refresh.refreshing(own, do)()


def test_press_reruns_other_stale_panes(redraw, reruns):
    shown = drawn(redraw, "workbench", "graph", "look")

    with pytest.raises(Rerun):
        press("graph", lambda: shown.now.update(graph=1, look=1))

    assert reruns == [["graph", "look"]]


def test_press_leaves_own_pane_to_streamlit(redraw, reruns):
    shown = drawn(redraw, "workbench", "graph", "look")

    press("graph", lambda: shown.now.update(graph=1))

    assert reruns == []


def test_stale_workbench_covers_its_panes(redraw, reruns):
    shown = drawn(redraw, "head", "workbench", "graph", "look")

    with pytest.raises(Rerun):
        press("graph", lambda: shown.now.update(head=1, workbench=1, look=1))

    assert reruns == [["head", "workbench"]]


def test_stale_page_is_rerun_as_whole(redraw, reruns):
    shown = drawn(redraw, "page", "workbench", "look")

    with pytest.raises(Rerun):
        press("bar", lambda: shown.now.update(page=1, look=1))

    assert reruns == ["page"]


def test_press_reruns_nothing_while_page_is_drawn(redraw, reruns, monkeypatch):
    monkeypatch.setattr(refresh, "fragment_ids", list)
    shown = drawn(redraw, "workbench", "look")

    press("bar", lambda: shown.now.update(workbench=1))

    assert reruns == []


def test_end_forgets_panes_that_were_not_drawn(redraw, reruns):
    drawn(redraw, "workbench", "look")
    refresh.begin()
    drawn(redraw, "workbench")

    refresh.end(lambda session: "page")

    assert set(redraw.drawn) == {"page", "workbench"}
    assert reruns == []


def test_end_reruns_page_where_pane_is_stale(redraw, reruns):
    refresh.begin()
    shown = drawn(redraw, "workbench")
    shown.now["workbench"] = 1

    with pytest.raises(Rerun):
        refresh.end(lambda session: "page")

    assert reruns == ["page"]
