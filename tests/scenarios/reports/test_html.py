from __future__ import annotations

import io
import re

from debugger.exports.sources import RunReader
from debugger.scenarios.reports.html import write_html
from debugger.scenarios.reports.masked import Sources
from tests.support.clinic import clinic_call
from tests.support.suites import check, result, scenario, suite


def html(made, **sources):
    file = io.BytesIO()
    write_html(file, made, Sources(**sources))
    return file.getvalue().decode()


def test_page_has_differences_transcript_and_path():
    backend, run_id = clinic_call()
    reader = RunReader(backend, None)
    failed = result("failed", check(message="Offers a day"), run_id=run_id)

    page = html(
        suite(result(run_id=None, made=scenario("Hours")), failed),
        read_run=lambda _, run_id: reader.run(run_id),
    )

    assert "<ins>a message that contains &#39;Tuesday&#39;</ins>" in page
    assert "<del>&#39;Which day suits you?&#39;</del>" in page
    assert "about a sore knee" in page
    assert 'class="edge taken"' in page
    assert "March 3, 1990" not in page
    assert page.index('data-outcome="failed"') < page.index('data-outcome="passed"')


def test_page_asks_for_nothing_outside():
    page = html(suite(result("failed", check())))

    assert "default-src 'none'" in page
    assert not re.search(r"<(?:link|img|iframe)|\bsrc=|\bstyle=|https?://|@import|url\((?!#)", page)


def test_page_escapes_texts():
    hostile = "</script><script>alert(1)</script>\"'&"
    failed = result("failed", check(got=hostile), made=scenario(hostile, tags=[hostile]))

    page = html(suite(failed))

    assert page.count("<script>") == 1
    assert page.count("</script>") == 1
