from __future__ import annotations

import pytest

from debugger.engine.mocks.replies import RecordedModel, failure_to_json, reply_to_json
from debugger.engine.models.base import DiscardedAnswer, ModelError, Reply, ToolCall
from debugger.errors import RunError
from tests.support.model_server import prompt


def test_reply_is_read_back_as_it_was():
    reply = Reply(
        "Hi\u2028",
        reason="so",
        fields={"n": 1},
        fields_error="none fits",
        fields_trouble="model",
        calls=(ToolCall("find", {"a": 1}),),
        model="",
        usage={"total_tokens": 7},
        warnings=("w",),
        discarded=(DiscardedAnswer("late", {"n": 1}),),
        troubles=(("cut_reply", "It was cut."),),
        fillers=("One moment.",),
    )

    assert RecordedModel(reply_to_json(reply)).reply(prompt(None)) == reply


def test_failure_is_raised_again():
    failure = ModelError("")
    failure.failed_requests, failure.is_faulted, failure.fillers = ("HTTP 500",), True, ("One moment.",)

    with pytest.raises(ModelError) as caught:
        RecordedModel(failure_to_json(failure)).reply(prompt(None))

    assert vars(caught.value) == {**vars(failure), "discarded": ()}


@pytest.mark.parametrize(
    "answer",
    [
        {"text": 5},
        {"usage": "u"},
        {"troubles": [[1, 2, 3]]},
        {"calls": [{}]},
        {"chosen": {}},
        {"error": "e", "discarded": [{}]},
        {"error": "e", "failed_requests": 5},
    ],
)
def test_damaged_answer_is_an_error_that_names_the_node(answer):
    with pytest.raises(RunError, match="The recorded answer of node 'Counter' cannot be read"):
        RecordedModel(answer).reply(prompt(None))


def test_transition_that_is_not_offered_is_named():
    chosen = {"edge": "e", "to": "gone", "condition": "c"}

    with pytest.raises(RunError, match="goes to 'gone', which is not offered here"):
        RecordedModel({"chosen": chosen}).reply(prompt(None))
