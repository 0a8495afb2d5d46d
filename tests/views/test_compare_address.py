from __future__ import annotations

import pytest

from debugger.views.url_state import CompareAddress, RunPlace


@pytest.mark.parametrize(
    ("text", "default", "place"),
    [
        ("abc", "embedded", RunPlace("embedded", "abc")),
        (" abc ", "hosted", RunPlace("hosted", "abc")),
        ("hosted:abc", "embedded", RunPlace("hosted", "abc")),
        ("embedded: abc", "hosted", RunPlace("embedded", "abc")),
        ("elsewhere:abc", "embedded", RunPlace("embedded", "elsewhere:abc")),
        ("abc@7", "embedded", RunPlace("embedded", "abc", 7)),
        ("hosted:abc@0", "embedded", RunPlace("hosted", "abc", 0)),
        ("abc@new", "embedded", RunPlace("embedded", "abc@new")),
    ],
)
def test_run_is_read_with_or_without_its_backend(text, default, place):
    assert RunPlace.parse(text, default) == place


@pytest.mark.parametrize("default", ["embedded", "hosted"])
@pytest.mark.parametrize(
    "place", [RunPlace("embedded", "abc"), RunPlace("hosted", "abc"), RunPlace("embedded", "abc", 7)]
)
def test_written_place_is_read_again(place, default):
    assert RunPlace.parse(place.text(default), default) == place


def test_hosted_run_is_found_from_new_tab():
    assert RunPlace.parse(RunPlace("hosted", "abc").text("hosted"), "embedded") == RunPlace("hosted", "abc")


def test_address_names_what_is_there():
    assert CompareAddress("x", "").to_parameters() == {"a": "x"}
    assert CompareAddress.from_parameters({"a": " x ", "b": "y", "turn": "3"}) == CompareAddress("x", "y")
    assert CompareAddress.from_parameters({}) == CompareAddress()
