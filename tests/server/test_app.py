from __future__ import annotations

import logging
import re
from types import SimpleNamespace

import pytest

UNKNOWN = "665f00000000000000000001"


def boom(*_, **__):
    raise ZeroDivisionError("the answer is sk-hidden")


def test_health_is_told_outside_the_base_path(api):
    answer = api.get(api.base_url.join("/healthz"))

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "path", ["/v1/workflows/", "/v1/workflow-runs/", f"/v1/workflows/{UNKNOWN}/", "/v1/session", "/"]
)
def test_inexact_path_is_not_redirected(api, path):
    answer = api.get(path)

    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_unknown_parameters_and_headers_are_accepted(api):
    headers = {
        "Authorization": "Bearer",
        "teamid": "",
        "uuid": "!",
        "X-Interactly-API-Version": "1999-01-01",
        "User-Agent": "interactly-python/0.2.0",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }

    answer = api.get("/v1/workflows", params={"favorites": "true", "began": "x"}, headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/v1/workflows", "/nowhere", f"/v1/workflows/{UNKNOWN}", "/v1/workflows/x"])
def test_every_response_has_unique_id(api, path):
    first, second = api.get(path), api.get(path)

    assert re.fullmatch(r"[0-9a-f]{32}", first.headers["x-request-id"])
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_unexpected_error_is_only_logged(serve, caplog):
    client = serve(SimpleNamespace(workflows=boom))

    with caplog.at_level(logging.INFO):
        answer = client.get("/v1/workflows", headers={"Authorization": "Bearer sk-mine"})

    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
    assert answer.headers["x-request-id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "sk-mine" not in caplog.text


def test_unserialisable_response_is_server_error(serve, caplog):
    client = serve(SimpleNamespace(workflows=lambda search: [SimpleNamespace(id=object())]))

    assert client.get("/v1/workflows").status_code == 500
    assert "AttributeError" in caplog.text
