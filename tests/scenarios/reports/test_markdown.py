from __future__ import annotations

import io

from debugger.scenarios.reports.markdown import write_markdown
from debugger.scenarios.reports.masked import Sources
from debugger.scenarios.reports.texts import app_link
from tests.support.suites import check, result, scenario, suite


def markdown(made, **sources):
    file = io.BytesIO()
    write_markdown(file, made, Sources(**sources))
    return file.getvalue().decode()


def test_markdown_begins_with_the_failures():
    failed = result("failed", check(message="Offers a day"))
    made = suite(result(made=scenario("Hours")), failed, dispositions={failed.id: "new"})

    text = markdown(made, link=app_link("http://localhost:8501"))

    assert text.startswith("## ❌ Scenarios: 1 passed, 1 failed (1 new) in 2.0 s\n")
    assert "### ❌ `clinic/booking.scenario.yaml::Booking` (new)" in text
    assert (
        "| [2](http://localhost:8501/?backend=embedded&run=000000000000000000000001&event=4) "
        "| `Offers a day`: `a message that contains 'Tuesday'` | `'Which day suits you?'` |"
    ) in text
    assert "All 2 results" in text


def test_markdown_takes_no_markup_from_texts():
    got = "@ada | <b> `code` ``two``\n# head"

    text = markdown(suite(result("failed", check(got=got))))

    assert "```@ada \\| <b> `code` ``two`` # head```" in text


def test_markdown_escapes_half_of_a_character():
    assert "`a\\ud83d`" in markdown(suite(result("failed", check(got="a\ud83d"))))


def test_markdown_fits_a_comment():
    failures = [result("failed", check(got="x" * 300), made=scenario(f"S{number}")) for number in range(300)]

    text = markdown(suite(*failures))

    assert len(text.encode()) < 65_536
    assert "more parts do not fit" in text.splitlines()[-1]


def test_markdown_of_passes_is_short():
    assert markdown(suite(result())).startswith("## ✅ Scenarios: 1 passed in 2.0 s\n")


def test_markdown_marks_what_was_not_run():
    text = markdown(suite(result(), not_run=["a.scenario.yaml::A"], reason="interrupted"))

    assert text.startswith("## ⚠️ Scenarios: 1 passed, 1 not run (interrupted) in 2.0 s\n")
