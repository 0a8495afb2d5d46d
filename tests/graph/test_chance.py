from __future__ import annotations

import pytest

from debugger.graph.chance import draws_at_random
from tests.support.factories import direct, document, say, static, tool, when, workflow
from tests.support.super_nodes import super_node

FILLERS = {"type": "llm_group_with_backchannel", "backchannel_static_responses": ["Hm.", "One moment."]}


@pytest.mark.parametrize(
    "part",
    [
        static("hello", "Hi", "Hello", mode="random"),
        static("hello", "Your number is {{rand_int}}."),
        tool("note", "def note(n):\n    return n\n", {"n": "{{ rand_uuid }}"}),
        say("desk", llms_config=FILLERS),
        super_node("box", document(static("hello", "Hi", "Hello", mode="random"))),
    ],
    ids=["text", "value", "argument", "filler", "super node"],
)
def test_random_places_are_found(part):
    assert draws_at_random(workflow(part))


def test_condition_with_random_value_is_found():
    assert draws_at_random(
        workflow(static("a", "A"), static("b", "B"), when("a", "b", "{{rand_bool}} == true"))
    )


@pytest.mark.parametrize(
    "part",
    [
        static("hello", "Hi", "Hello"),
        static("hello", "Hi", mode="random"),
        static("hello", "rand_int and {{now}} and [[rand_int]]"),
        say("desk", llms_config={**FILLERS, "backchannel_static_responses_selection_mode": "sequence"}),
    ],
    ids=["sequence", "single text", "other names", "fillers in order"],
)
def test_other_places_draw_nothing(part):
    assert not draws_at_random(workflow(part, static("end", "End"), direct(part["logical_id"], "end")))
