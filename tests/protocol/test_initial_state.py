from __future__ import annotations

import pytest

from debugger.errors import InputError
from debugger.protocol.initial_state import read_state


def test_any_part_of_a_state_is_enough():
    assert read_state({}).threads == {}
    assert read_state({"threads": {"0": {"node_logical_id": "a"}}}).threads["0"].node_logical_id == "a"
    assert read_state({"dynamic_variables": {"x": 1}}).dynamic_variables == {"x": 1}


@pytest.mark.parametrize(
    ("state", "name"),
    [
        ({"thread_states": {}}, "thread_states"),
        ({"threads": {"0": {"position": "a"}}}, r"threads\.0\.position"),
    ],
)
def test_what_is_not_part_of_a_state_is_refused_by_name(state, name):
    with pytest.raises(InputError, match=name):
        read_state(state)
