from __future__ import annotations

import pytest

from debugger.views.panels.replays.address import ReplayAddress


@pytest.mark.parametrize("address", [ReplayAddress(), ReplayAddress("r"), ReplayAddress("r", "g")])
def test_address_survives_its_parameters(address):
    assert ReplayAddress.from_parameters(address.to_parameters()) == address


def test_blanks_and_other_parameters_are_passed_over():
    assert ReplayAddress.from_parameters({"replay": " r ", "turn": "2"}) == ReplayAddress("r")
