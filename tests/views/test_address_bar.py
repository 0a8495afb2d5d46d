from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import streamlit as st

from debugger.views.address_bar import DebugBar
from debugger.views.url_state import Address


class Parameters(dict):
    """Query parameters of a browser."""

    def from_dict(self, parameters):
        self.clear()
        self.update(parameters)


@pytest.fixture
def browser(monkeypatch):
    """The query parameters of the browser's address."""
    found = Parameters()
    monkeypatch.setattr(st, "query_params", found)
    return found


def test_browser_names_what_page_shows(browser):
    DebugBar().show(Address("embedded", run="r"))

    assert browser == {"backend": "embedded", "run": "r"}


def test_address_is_followed_that_page_has_not_shown(browser):
    bar = DebugBar()
    assert bar.wanted() is None
    bar.show(Address(run="first"))
    assert bar.wanted() is None

    browser["run"] = "second"

    assert bar.wanted() == Address(run="second")


def test_address_that_was_just_left_is_not_followed(browser, monkeypatch):
    bar = DebugBar()
    bar.show(Address(run="first"))
    bar.show(Address(run="second"))

    browser["run"] = "first"

    assert bar.wanted() is None
    now = time.monotonic() + bar.STALE_SECONDS
    monkeypatch.setattr("debugger.views.address_bar.time", SimpleNamespace(monotonic=lambda: now))
    assert bar.wanted() == Address(run="first")
