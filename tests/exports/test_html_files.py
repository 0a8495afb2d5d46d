from __future__ import annotations

import html
import re

from debugger.exports.formats import write_export
from debugger.protocol.runs import Run
from tests.exports.test_columns import reviewed_run
from tests.exports.test_formats import run_of
from tests.support.exports import exported, options, written


def test_page_has_transcript_path_variables_and_remarks():
    page = written([reviewed_run(workflow_name="Clinic")], options("html")).decode()

    for words in (
        "Which one suits you?",
        "Intent desk &gt; book &gt;",
        "runtime.choice",
        "Bo: Polite",
        "so so",
    ):
        assert words in page
    assert 'class="edge taken"' in page
    assert page.count('<section class="turn">') == 8


def test_page_asks_for_nothing_outside():
    page = written([run_of("Hi")], options("html")).decode()

    assert "default-src 'none'" in page
    assert not re.search(r"<(?:script|link|img|iframe)|\bstyle=|https?://|@import|url\((?!#)", page)


def test_texts_are_escaped():
    page = written([run_of("<script>alert(1)</script>", "\"'&")], options("html")).decode()

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_page_is_written_run_by_run():
    read = []

    class Sink:
        def write(self, data):
            if data.startswith(b"00000000000000000000000"):
                read.append("written")
            return len(data)

    def runs():
        for number in range(2):
            read.append("read")
            yield run_of("Hi", run_id=f"{number:024x}")

    write_export(Sink(), runs(), options("html"))

    assert [kind for at, kind in enumerate(read) if kind != read[at - 1] or at == 0] == [
        "read",
        "written",
        "read",
        "written",
    ]


def test_variables_at_the_end_are_whole():
    states = [
        {"patient": {"name": "Ada", "tea": "one"}, "gone": "yes"},
        {"patient": {"name": "Ada", "tea": "two"}},
    ]
    pairs = [
        {
            "run_input": {"command": "data"},
            "run_output": {
                "events": [{"type": "workflow_show_state", "thread_id": "0", "runtime_variables": state}]
            },
        }
        for state in states
    ]
    run = Run.from_wire(
        {
            "workflow_run_id": "665f0c2b9a3e4d5f6a7b8c90",
            "workflow_id": "665f00000000000000000001",
            "status": "completed",
            "input_output_pairs": pairs,
        }
    )

    page = html.unescape(written([exported(run)], options("html")).decode())

    [end] = re.findall(r"Variables at the end.*?</table>", page, re.DOTALL)
    assert re.findall(r'<th scope="row">(.*?)</th><td dir="auto">(.*?)</td>', end) == [
        ("runtime.patient", '{"name":"Ada","tea":"two"}')
    ]
