from __future__ import annotations

import pytest

from debugger.boundary import SECRETS_ONLY, Boundary, Kind


def redact(value, name=""):
    return Boundary(SECRETS_ONLY).release(Kind.VALUE, value, name)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"api_key": "hush"}, {"api_key": "***"}),
        (
            {"credentials": {"client_id": "me", "tries": 3}},
            {"credentials": {"client_id": "***", "tries": "***"}},
        ),
        ({"password": ["hush", None, True, ""]}, {"password": ["***", None, True, ""]}),
        ({"headers": {"Authorization": "Bearer hush"}}, {"headers": {"Authorization": "Bearer ***"}}),
        ({"headers": {"token": "hush", "accept": "json"}}, {"headers": {"token": "***", "accept": "json"}}),
        ({"headers": {"Authorization": "Bearer {{KEY}}"}}, {"headers": {"Authorization": "Bearer {{KEY}}"}}),
        ({"api_key": "{{KEY}}", "secret": "[[x]]"}, {"api_key": "{{KEY}}", "secret": "[[x]]"}),
        ({"api_key": "{{KEY}} or hush"}, {"api_key": "***"}),
        (
            {"url": "https://me:hush@tea.example/?api_key=hush&q=1"},
            {"url": "https://***@tea.example/?api_key=***&q=1"},
        ),
        ([{"secret_variables": {"key": "hush"}, "name": "Ada"}], [{"name": "Ada"}]),
        ({"total_tokens": 7, "max_tokens": 9}, {"total_tokens": 7, "max_tokens": 9}),
        ({"text": "Tea: hot"}, {"text": "Tea: hot"}),
    ],
)
def test_secrets_are_masked_by_name_and_place(value, shown):
    assert redact(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See https://tea.example or mail info@tea.example.", None),
        ("curl 'https://tea.example/?api_key=hush' -H x", "curl 'https://tea.example/?api_key=***' -H x"),
        ("as https://me:hush@tea.example says", "as https://***@tea.example says"),
        ("https://me:hu sh@tea.example/", "https://***@tea.example/"),
        ("https://me:{{ pass }}@tea.example/ is it", "https://***@tea.example/ is it"),
    ],
)
def test_secret_of_a_url_ends_with_it(text, shown):
    assert redact(text) == (shown or text)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("api_key", "***"),
        ("credentials.user", "***"),
        ("logins[0].password", "***"),
        ("headers.token", "***"),
        ("user", "hush"),
    ],
)
def test_path_of_names_tells_a_secret(path, shown):
    assert redact("hush", path) == shown


@pytest.mark.parametrize("text", ["a://" + ":" * 50_000 + " x", "://" * 20_000, "x" * 50_000 + " a://b c"])
def test_redaction_of_a_text_takes_little_time(text):
    redact(text)
