from __future__ import annotations

import pytest

from debugger.protocol.event_values import BUILT_IN_RULES, UsageValues


@pytest.mark.parametrize(
    ("name", "is_of_rules"), [(BUILT_IN_RULES, True), ("stand-in", True), ("script", False), (None, False)]
)
def test_usage_knows_both_names_of_rules(name, is_of_rules):
    assert UsageValues({"response_model": name}).is_of_built_in_rules is is_of_rules
