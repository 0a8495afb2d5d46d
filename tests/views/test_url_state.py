from __future__ import annotations

import pytest

from debugger.views.url_state import Address


def test_address_survives_address_bar():
    address = Address("embedded", "665f0c2b9a3e4d5f6a7b8c90", "765f0c2b9a3e4d5f6a7b8c90", 3)

    assert Address.from_parameters(address.to_parameters()) == address


def test_what_is_absent_does_not_clutter_address():
    assert Address("embedded").to_parameters() == {"backend": "embedded"}


@pytest.mark.parametrize("turn", ["x", "-1", "1.5", "", "9" * 40, "²"])
def test_turn_that_is_no_number_counts_as_absent(turn):
    assert Address.from_parameters({"run": "r", "turn": turn}) == Address(run="r")


def test_demo_view_is_part_of_address():
    address = Address("embedded", run="r", is_demo=True)

    assert address.to_parameters() == {"backend": "embedded", "run": "r", "skin": "demo"}
    assert Address.from_parameters(address.to_parameters()) == address


def test_skin_that_there_is_not_counts_as_absent():
    assert Address.from_parameters({"skin": "tiger"}) == Address()


def test_cursor_is_part_of_address():
    address = Address("embedded", run="r", turn=2, event=0)

    assert address.to_parameters() == {"backend": "embedded", "run": "r", "turn": "2", "event": "0"}
    assert Address.from_parameters(address.to_parameters()) == address


def test_event_that_is_no_number_counts_as_absent():
    assert Address.from_parameters({"run": "r", "event": "-1"}) == Address(run="r")


def test_token_of_what_is_set_before_the_start_is_part_of_address():
    address = Address("embedded", "w", setup="t")

    assert address.to_parameters() == {"backend": "embedded", "workflow": "w", "setup": "t"}
    assert Address.from_parameters(address.to_parameters()) == address
