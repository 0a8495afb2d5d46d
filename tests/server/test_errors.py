from __future__ import annotations

from types import SimpleNamespace

import pytest

from debugger.errors import (
    AuthenticationError,
    ConflictError,
    ExpressionError,
    InputError,
    NotFoundError,
    NotStartableError,
    RateLimitError,
    RunEndedError,
    StoreError,
    UnsupportedError,
    WorkflowError,
)

CASES = [
    (
        WorkflowError("one edge only", category="Bad fork"),
        400,
        {"message": "Bad fork", "error": "one edge only"},
    ),
    (NotFoundError("There is no run.", advice="Look."), 404, {"detail": "There is no run."}),
    (RunEndedError("Run 1 is over."), 404, {"detail": "Session not found"}),
    (ConflictError("Busy."), 409, {"detail": "Busy."}),
    (
        InputError("No good.", advice="Try."),
        422,
        {"detail": [{"type": "value_error", "loc": ["body"], "msg": "No good."}]},
    ),
    (
        RecursionError("maximum recursion depth exceeded"),
        422,
        {"detail": [{"type": "value_error", "loc": ["body"], "msg": "A value is nested too deeply."}]},
    ),
    (NotStartableError("No start node found in 'Tea'."), 500, {"detail": "No start node found in 'Tea'."}),
    (NotStartableError("Two starts."), 500, {"detail": "No start node found: Two starts."}),
    (UnsupportedError("Not here."), 501, {"detail": "Not here."}),
    (StoreError("postgresql://me:pw@db is down."), 503, {"detail": "Service unavailable"}),
    (
        AuthenticationError("The API does not accept the key."),
        401,
        {"detail": "The API does not accept the key."},
    ),
]


@pytest.fixture(scope="module")
def failing(serve):
    """A function that gives the answer to a request during which an error is raised."""
    errors = []

    def fail(search):
        raise errors.pop()

    client = serve(SimpleNamespace(workflows=fail))

    def answer(error):
        errors.append(error)
        return client.get("/v1/workflows")

    return answer


@pytest.mark.parametrize("error, status, body", CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_error_has_shape_of_platform(failing, error, status, body):
    answer = failing(error)

    assert (answer.status_code, answer.json()) == (status, body)
    assert "x-request-id" in answer.headers


def test_an_expression_is_told_with_its_place(failing):
    answer = failing(ExpressionError("expected a value", text="[[x]] ==", column=9))

    assert answer.status_code == 400
    assert answer.json()["message"] == "Invalid expression"
    assert "column 9" in answer.json()["error"]


def test_rate_limit_has_retry_after(failing):
    answer = failing(RateLimitError("Too many requests.", retry_after=1.2))

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


def test_store_error_is_logged(failing, caplog):
    failing(StoreError("The disk is full."))

    assert "The disk is full." in caplog.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/nodes", 501),
        ("/v1/nodes/types/more", 501),
        ("/v1/workflows/665f00000000000000000001/expand-preview", 501),
        ("/v1/nodes-of-mine", 404),
        ("/v1/workflows/665f00000000000000000001/expand-preview/more", 404),
    ],
)
def test_platform_only_path_answers_501(api, path, status):
    answer = api.request("PUT", path)

    assert answer.status_code == status
    assert answer.json().keys() == {"detail"}


def test_wrong_method_still_answers_405(api):
    assert api.put("/v1/workflows").status_code == 405
