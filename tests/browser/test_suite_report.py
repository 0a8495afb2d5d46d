"""The HTML report of a suite run, opened from disk."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from debugger.exports.sources import RunReader
from debugger.scenarios.reports.html import write_html
from debugger.scenarios.reports.masked import Sources
from tests.support.clinic import clinic_call
from tests.support.suites import check, result, scenario, suite

pytestmark = pytest.mark.browser


def test_report_filters_without_network(chromium, tmp_path):
    backend, run_id = clinic_call()
    reader = RunReader(backend, None)
    failed = result("failed", check(), made=scenario("Booking", tags=["smoke"]), run_id=run_id)
    made = suite(result(made=scenario("Hours", tags=["fast"]), run_id=run_id), failed)
    with (tmp_path / "report.html").open("wb") as file:
        write_html(file, made, Sources(lambda _, run_id: reader.run(run_id)))
    page = chromium.new_context(offline=True).new_page()
    errors = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto((tmp_path / "report.html").as_uri())

    shown, results = page.locator("#shown"), page.locator("article.result")
    expect(shown).to_have_text("2 of 2 shown")
    page.get_by_label("failed").uncheck()
    expect(shown).to_have_text("1 of 2 shown")
    expect(results.filter(visible=True)).to_have_attribute("data-name", "clinic/booking.scenario.yaml::Hours")
    page.get_by_label("failed").check()
    page.get_by_label("Tag").select_option("smoke")
    expect(results.filter(visible=True)).to_have_attribute("data-outcome", "failed")
    page.get_by_label("Tag").select_option("all")
    page.get_by_label("Name").fill("HOURS")
    expect(results.filter(visible=True)).to_have_attribute("data-outcome", "passed")
    page.get_by_label("Name").fill("")
    assert errors == []
