from __future__ import annotations

import pytest

from debugger.engine.outbound import MaskedValue
from debugger.engine.outbound.http_request import (
    HttpBody,
    HttpRequest,
    curl_command,
    wire_request,
    with_query,
)


def plain(value):
    return MaskedValue(value, value)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"],
)
def test_lone_surrogate_can_be_sent(content_type):
    value = "a\ud800" if content_type == "text/plain" else {"k\ud800": "a\ud800"}
    request = HttpRequest("POST", plain("http://a.example/"), {}, HttpBody(content_type, plain(value)))

    sent = wire_request(request).read()

    assert b"a" in sent


@pytest.mark.parametrize(
    ("url", "query", "whole"),
    [
        ("http://a/", {}, "http://a/"),
        ("http://a/", {"q": "1 2"}, "http://a/?q=1%202"),
        ("http://a/?", {"q": None}, "http://a/?q="),
        ("http://a/?x=1&", {"q": True}, "http://a/?x=1&q=true"),
        ("http://a/?x=1#f?", {"q": [1, {"b": 2}]}, "http://a/?x=1&q=1&q=%7B%22b%22%3A2%7D#f?"),
        ("http://a/", {"q": "***"}, "http://a/?q=***"),
    ],
)
def test_a_query_is_put_where_it_belongs(url, query, whole):
    assert with_query(url, query) == whole


def test_author_may_set_agent_and_content_type():
    headers = {"user-agent": plain("mine"), "Content-Type": plain("application/fhir+json")}
    request = HttpRequest("POST", plain("http://a/"), headers, HttpBody("application/json", plain([1])))

    sent = wire_request(request).headers

    assert (sent["user-agent"], sent["content-type"]) == ("mine", "application/fhir+json")
    assert curl_command(request) == (
        "curl -X POST http://a/ -H 'user-agent: mine' -H 'Content-Type: application/fhir+json' "
        "--data-raw '[1]'"
    )


def test_head_command_does_not_wait_for_body():
    assert curl_command(HttpRequest("HEAD", plain("http://a/"))) == "curl --head http://a/"


def test_shown_request_has_no_secret():
    request = HttpRequest(
        "POST",
        MaskedValue("http://a/s3cret", "http://a/***"),
        {"X-A": MaskedValue("s3cret", "***"), "Authorization": plain("Bearer s3cret")},
        HttpBody("application/json", MaskedValue({"k": "s3cret"}, {"k": "***"})),
    )

    assert request.to_ledger() == {
        "method": "POST",
        "url": "http://a/***",
        "headers": {"X-A": "***", "Authorization": "Bearer ***"},
        "body": {"k": "***"},
    }
    assert request.target == "POST http://a/***"
    assert "s3cret" not in curl_command(request)
