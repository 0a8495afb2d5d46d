from __future__ import annotations

import pytest

from debugger.engine.outbound.masking import (
    find_literal_secrets,
    mask_body,
    mask_header,
    mask_url,
    names_secret,
)

SECRET_NAMES = """
    Authorization Proxy-Authorization X-API-Key apikey Ocp-Apim-Subscription-Key Cookie X-Auth-Token
    access_token client_secret password token key signature X-Api-Token PRIVATE-TOKEN api_token
    X-Amz-Security-Token X-Vault-Token x-functions-key id_token session_token
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_secret_name_is_recognized(name):
    assert names_secret(name)


@pytest.mark.parametrize(
    "name", ["Accept", "X-Trace-Id", "keyword", "author", "next_page", "monkey", "tokens_used", "max_tokens"]
)
def test_similar_name_is_no_secret(name):
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://ann:pw@a.example/x", "https://***@a.example/x"),
        ("https://a.example/x@y", "https://a.example/x@y"),
        ("https://a/?q=1&api_key=k&z=2", "https://a/?q=1&api_key=***&z=2"),
        ("https://a/?api%5Fkey=k#f", "https://a/?api%5Fkey=***#f"),
        ("https://a/?token=&q=token", "https://a/?token=&q=token"),
        ("no url: key=1", "no url: key=1"),
    ],
)
def test_url_is_masked_without_user_and_secrets(url, masked):
    assert mask_url(url) == masked


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("Authorization", "Bearer abc", "Bearer ***"),
        ("authorization", "abc", "***"),
        ("X-Api-Key", "abc", "***"),
        ("X-Trace", "abc", "abc"),
    ],
)
def test_header_is_masked_to_its_scheme(name, value, masked):
    assert mask_header(name, value) == masked


def test_body_is_masked_at_any_depth():
    body = {"password": "a", "list": [{"clientSecret": "b", "key": "colour"}], "n": 1}

    assert mask_body(body) == {"password": "***", "list": [{"clientSecret": "***", "key": "colour"}], "n": 1}


@pytest.mark.parametrize("value", [True, False, None])
def test_what_can_be_no_secret_stays(value):
    assert mask_body({"used_user_api_key": value}) == {"used_user_api_key": value}


def test_literal_secret_is_masked_in_answers():
    url = "https://ann:p%40ssword@host/a?api_key=key-777&page=page-777"
    found = find_literal_secrets(
        url, {"Authorization": "Bearer tok-777", "Accept": "text/html", "X-Token": "short"}
    )

    told = "tok-777 p@ssword p%40ssword key-777 page-777 text/html short YW5uOnBAc3N3b3Jk"
    assert found.mask(told) == "*** *** *** *** page-777 text/html short ***"
