from __future__ import annotations

import random
from datetime import UTC, datetime

from debugger.engine.environment import Environment
from debugger.engine.options import EngineOptions
from debugger.engine.state import RunState
from debugger.engine.variables import TurnVariables, system_variables, write
from debugger.protocol.workflow import SYSTEM_NAMES, NodeConfig
from tests.support.factories import static, workflow

JULY = datetime(2026, 7, 14, 19, 10, 17, 987677, tzinfo=UTC).timestamp()


def test_the_clock_is_written_as_recorded():
    values = system_variables(Environment(now=lambda: JULY), "UTC")

    assert values["now"] == "July 14, 2026 07:10 PM"
    assert values["date"] == "July 14, 2026"
    assert values["time"] == "07:10 PM"
    assert (values["year"], values["day"], values["hour"], values["minute"]) == (2026, 14, "07", "10")
    assert (values["month"], values["day_of_week"]) == ("July", "Tuesday")
    assert values["iso_datetime"] == "2026-07-14T19:10:17.987677"
    assert (values["timestamp"], values["timestamp_ms"]) == (1784056217, 1784056217987)
    assert set(values) == SYSTEM_NAMES


def test_the_clock_can_be_that_of_another_place():
    values = system_variables(Environment(now=lambda: JULY), "Europe/Berlin")

    assert values["time"] == "09:10 PM"


def test_chance_repeats_with_its_seed():
    one, other = (system_variables(Environment(random=random.Random(7)), "UTC")["rand_str"] for _ in range(2))

    assert one == other
    assert len(one) == 8


def test_supplied_variables_win():
    flow = workflow(static("a", "A"), defaults={"one": "default", "two": "default"})
    flow = flow.from_document(
        {**flow.to_wire(), "dynamic_variables": {"two": "document", "three": "document"}}
    )
    state = RunState.at("a")
    state.dynamic_variables = {"one": "turn", "year": 1999}

    variables = TurnVariables(flow, state, EngineOptions(), Environment())

    assert variables.supplied == {"one": "turn", "two": "default", "three": "document", "year": 1999}
    assert variables.evaluated["year"] == 1999
    assert "month" in variables.evaluated


def test_threads_own_variables_win():
    state = RunState.at("a")
    state.main.runtime_variables = {"x": "thread"}
    state.workflow_variables = {"x": "workflow", "y": "workflow", "_hidden": 1}
    state.runtime_seeds = {"x": "seed", "y": "seed", "z": "seed"}

    scope = TurnVariables(workflow(static("a", "A")), state, EngineOptions(), Environment()).scope(state.main)

    assert scope.runtime["x"] == "thread"
    assert (scope.workflow["y"], scope.workflow["z"]) == ("workflow", "seed")
    assert scope.threads["0"] == {"x": "thread", "y": "seed", "z": "seed"}


def test_write_has_copies_by_node():
    state = RunState.at("a")

    write(state.main, NodeConfig(logical_id="node_price", name="Price it"), {"price": 3})

    assert state.main.runtime_variables == {"price": 3, "node_price.price": 3, "Price it.price": 3}
