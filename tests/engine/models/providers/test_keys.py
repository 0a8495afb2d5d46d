from __future__ import annotations

import pytest

from debugger.engine.models.providers import Keys

OWN, CUSTOM = "sk-own-0123456789", "sk-custom-0123456789"
NAMES = {"OPENAI_API_KEY": OWN, "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": CUSTOM}
HOSTS = ("api.openai.com", ".openai.azure.com")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://api.openai.com/v1", OWN),
        ("https://tea.openai.azure.com", OWN),
        ("http://api.openai.com/v1", None),
        ("https://api.openai.com.evil.example/v1", None),
        ("https://evil.example/api.openai.com", None),
        ("https://api.openai.com@evil.example/v1", None),
        ("https://openai.azure.com.evil.example", None),
    ],
)
def test_key_goes_to_its_providers_hosts(url, key):
    assert Keys(NAMES).for_url(url, "OPENAI_API_KEY", HOSTS, "OPENAI_BASE_URL") == key


def test_custom_key_needs_a_trusted_address():
    assert Keys(NAMES).custom("https://models.example/v1") is None


def test_custom_key_goes_to_trusted_addresses():
    keys = Keys({**NAMES, "WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL": "http://localhost:11434/v1"})

    assert keys.custom("http://localhost:11434/other") == CUSTOM
    assert keys.custom("http://localhost:9999/v1") is None
    assert keys.custom("https://localhost:11434/v1") is None


def test_every_key_is_taken_out_of_a_text():
    keys = Keys({**NAMES, "AWS_SECRET_ACCESS_KEY": "wJalr-secret", "GEMINI_API_KEY": "x"})

    assert keys.mask(f"{OWN}, {CUSTOM} and wJalr-secret of x") == "***, *** and *** of x"


def test_the_first_name_that_has_a_value_counts():
    keys = Keys({"GEMINI_API_KEY": "", "GOOGLE_API_KEY": "second"})

    assert keys.find("GEMINI_API_KEY", "GOOGLE_API_KEY") == "second"
    assert keys.find("GEMINI_API_KEY") is None
