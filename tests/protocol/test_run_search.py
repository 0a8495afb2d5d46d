from __future__ import annotations

import pytest

from debugger.protocol.runs import RunSearch


def test_words_are_looked_for_one_by_one_in_lower_case():
    assert RunSearch(text="  Green\tTEA ").words == ["green", "tea"]
    assert RunSearch().words == []


@pytest.mark.parametrize("wanted", [{"tag": "smoke"}, {"starred": True}, {"version_number": 0}])
def test_some_searches_need_more_than_the_list_of_runs(wanted):
    assert RunSearch(**wanted).needs_notes
    assert not RunSearch(text="tea").needs_notes
