from __future__ import annotations

from debugger.scenarios.reports.masked import without_secrets
from tests.support.suites import check, result


def test_terminal_masks_secrets_in_urls():
    url = "https://me:hush@tea.example/?api_key=hush"

    [found] = without_secrets(result("failed", check(got=f"'{url}'"), path=url, error=url)).repetitions

    assert "hush" not in f"{found.checks[0].text} {found.path} {found.error}"


def test_terminal_masks_parts_of_secret_variables():
    made = check("'hush'", "'hush'", variable={"name": "runtime.credentials.value", "equals": "hush"})

    [found] = without_secrets(result("failed", made)).repetitions

    assert found.checks[0].text == "expected ***; got ***"


def test_terminal_masks_keys_in_texts():
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"

    [found] = without_secrets(result("failed", check(got=f"my key is {key}"), error=key)).repetitions

    assert (found.checks[0].got, found.error) == ("my key is [key]", "[key]")
