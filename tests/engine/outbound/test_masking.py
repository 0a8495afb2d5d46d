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
    access_token client_secret password token key signature
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_that_only_a_secret_has_is_known(name):
    assert names_secret(name)


@pytest.mark.parametrize(
    "name", ["Accept", "X-Trace-Id", "keyword", "author", "next_page", "monkey", "tokens_used"]
)
def test_a_name_that_only_sounds_like_one_is_not(name):
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
def test_a_url_is_shown_without_its_user_and_its_secrets(url, masked):
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
def test_a_header_is_shown_with_its_scheme_alone(name, value, masked):
    assert mask_header(name, value) == masked


def test_a_body_is_shown_without_its_passwords_however_deep():
    body = {"password": "a", "list": [{"clientSecret": "b", "key": "colour"}], "n": 1}

    assert mask_body(body) == {"password": "***", "list": [{"clientSecret": "***", "key": "colour"}], "n": 1}


def test_what_an_author_wrote_out_is_masked_in_what_a_server_tells_of_it():
    url = "https://ann:p%40ssword@host/a?api_key=key-777&page=page-777"
    found = find_literal_secrets(
        url, {"Authorization": "Bearer tok-777", "Accept": "text/html", "X-Token": "short"}
    )

    told = "tok-777 p@ssword p%40ssword key-777 page-777 text/html short YW5uOnBAc3N3b3Jk"
    assert found.mask(told) == "*** *** *** *** page-777 text/html short ***"
