from __future__ import annotations

import pytest

from debugger.analysis.model_attempts import FailedAttempt, failed_attempts
from debugger.protocol.events import parse_event


def event(usage):
    return parse_event({"type": "say_llm", "llm_usage_info": usage})


def test_both_kinds_of_attempts_are_read():
    busy = {"attempt_number": 1, "error_message": "HTTP 429", "latency_milliseconds": 20}
    bad = {"attempt_number": 1, "error_message": "'cups' is a text", "latency_milliseconds": 900}
    usage = {
        "structured_output_retry_metadata": {"retry_count": 1, "failed_attempts": [bad]},
        "request_retry_metadata": {"retry_count": 1, "failed_attempts": [busy]},
    }

    assert failed_attempts(event(usage)) == [
        FailedAttempt(1, "Request failed", "HTTP 429", 20),
        FailedAttempt(1, "Output did not fit", "'cups' is a text", 900),
    ]


@pytest.mark.parametrize(
    "metadata",
    [None, 5, [], {}, {"failed_attempts": None}, {"failed_attempts": {"a": 1}}, {"failed_attempts": []}],
)
def test_foreign_metadata_has_no_attempts(metadata):
    assert failed_attempts(event({"structured_output_retry_metadata": metadata})) == []


def test_attempt_without_fields_is_counted():
    metadata = {"failed_attempts": [{}, {"error_message": None}]}

    found = failed_attempts(event({"structured_output_retry_metadata": metadata}))

    assert [(each.number, each.error, each.latency_ms) for each in found] == [(1, "", None), (2, "", None)]


def test_attempt_of_an_odd_kind_takes_its_number():
    metadata = {"failed_attempts": [None, {"error_message": "HTTP 429"}]}

    found = failed_attempts(event({"request_retry_metadata": metadata}))

    assert [(each.number, each.error) for each in found] == [(1, ""), (2, "HTTP 429")]
