from __future__ import annotations

import io
import json
import threading
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

from debugger.boundary import MaskingOptions
from debugger.errors import InputError
from debugger.exports.formats import EXPORTS, ExportCancelled, ExportOptions, ExportProgress, write_export
from debugger.exports.presets import LEX
from debugger.exports.table import OFF, TableOptions
from debugger.protocol.run_file import read_run_file
from debugger.protocol.runs import Run
from tests.support.exports import NO_MASKING, csv_rows, every_text, exported, options, written
from tests.support.factories import say, workflow

TEXTS = [
    "🫖 ☕ 👩‍👩‍👧",
    "שלום עולם, مرحبا",
    "one\ntwo\nthree",
    '=HYPERLINK("http://x","y")',
    "https://example.org",
    "0123",
    "12.50",
    'He said "Assam"; then\tleft',
    " spaces kept ",
    "x" * 30_000,
]


def run_of(*texts, run_id="665f0c2b9a3e4d5f6a7b8c90", **input_fields):
    """A run whose agent says each text in a turn."""
    pairs = [
        {
            "run_input": {"command": "start", **input_fields},
            "run_output": {
                "events": [
                    {"type": "assistant_response", "content": text, "timestamp": 1785200000.0 + at},
                    {
                        "type": "workflow_show_state",
                        "thread_id": "0",
                        "runtime_variables": {"turn": at, **input_fields.get("runtime_variables", {})},
                    },
                ]
            },
        }
        for at, text in enumerate(texts)
    ]
    record = Run.from_wire(
        {
            "workflow_run_id": run_id,
            "workflow_id": "665f00000000000000000001",
            "status": "completed",
            "input_output_pairs": pairs,
        }
    )
    return exported(record, workflow(say("desk")), workflow_name="Tea shop")


PLAIN = options(columns=["turn", "text", "at_ms", "is_background"], masking=NO_MASKING)


def test_csv_read_by_pandas_is_equal():
    data = written([run_of(*TEXTS)], replace(PLAIN, csv=replace(PLAIN.csv, is_guarded=False)))

    found = pd.read_csv(io.BytesIO(data), dtype={"text": str}, keep_default_na=False)

    assert list(found["text"]) == TEXTS
    assert list(found["turn"]) == list(range(1, len(TEXTS) + 1))
    assert list(found["at_ms"]) == [1000.0 * at for at in range(len(TEXTS))]


def test_guarded_csv_differs_by_apostrophes_alone():
    found = pd.read_csv(io.BytesIO(written([run_of(*TEXTS)], PLAIN)), dtype=str, keep_default_na=False)

    assert [text.removeprefix("'") for text in found["text"]] == TEXTS


def test_excel_read_by_openpyxl_is_equal():
    book = openpyxl.load_workbook(io.BytesIO(written([run_of(*TEXTS)], replace(PLAIN, format="xlsx"))))

    header, *rows = book["Rows"].iter_rows(values_only=True)
    assert header == ("turn", "text", "at_ms", "is_background", "masked")
    assert [row[1] for row in rows] == TEXTS
    assert [(row[0], row[2], row[3]) for row in rows][:2] == [(1, 0, False), (2, 1000, False)]
    cells = [cell for row in book["Rows"].iter_rows(min_col=2, max_col=2) for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    assert (book["Rows"].freeze_panes, book["Rows"].auto_filter.ref) == ("A2", f"A1:E{len(TEXTS) + 1}")


def test_excel_cuts_texts_beyond_its_limit():
    book = openpyxl.load_workbook(io.BytesIO(written([run_of("x" * 40_000)], replace(PLAIN, format="xlsx"))))

    text = book["Rows"]["B2"].value
    assert len(text) == 32_767
    assert text.endswith(" … (cut: the text has 40000 characters)")


def test_json_lines_keep_structure():
    chosen = options("jsonl", shape="event", columns=["event_type", "payload"])

    *rows, about = [json.loads(line) for line in written([run_of("Hi")], chosen).splitlines()]

    assert [row["event_type"] for row in rows] == ["assistant_response", "workflow_show_state"]
    assert rows[0]["payload"]["content"] == "Hi"
    assert about["about"]["rows"] == 2


def test_run_file_is_opened_again():
    data = written([run_of("Hi")], ExportOptions("run", is_single=True))

    again = read_run_file(data)

    assert again.record().workflow_run_id == "665f0c2b9a3e4d5f6a7b8c90"
    assert again.graph().node_configs[0].logical_id == "desk"


def test_run_file_has_no_secrets():
    run = run_of("Hi", dynamic_variables={"password": "hush-hush"}, secret_variables={"a": "hush-hush"})

    again = read_run_file(written([run], ExportOptions("run", is_single=True)))

    assert "hush-hush" not in str(again)
    assert again.record().input_output_pairs[0].run_input["dynamic_variables"] == {"password": "***"}


PLANTED = {
    "phone": "+49 171 7654321",
    "key": "sk-planted-abcdefgh12345678",
    "email": "planted@example.org",
    "variable": "ZEBRA-77",
}


def planted_run():
    return run_of(
        *(f"It is {value}." for value in PLANTED.values()),
        dynamic_variables={"member": PLANTED["variable"], "contact": PLANTED["phone"]},
        runtime_variables={"code": PLANTED["variable"], "mail": PLANTED["email"], "k": PLANTED["key"]},
    )


def test_planted_data_is_in_no_format():
    masking = MaskingOptions(variables=("code",))

    texts = dict(every_text(planted_run(), masking))

    assert len(texts) == 12
    found = [(name, rule) for name, text in texts.items() for rule, value in PLANTED.items() if value in text]
    assert found == []


def test_planted_data_is_found_without_masking():
    texts = dict(every_text(planted_run()))

    missing = {name for name, text in texts.items() if PLANTED["phone"] not in text}
    assert missing == set()


def test_every_format_says_that_masking_is_off():
    texts = dict(every_text(planted_run()))

    silent = {
        name
        for name, text in texts.items()
        if not any(words in text for words in (OFF, "off: only secrets are masked"))
    }
    # Lex takes its own columns alone, and no comments; the name of the file says it.
    assert silent == {LEX}


def test_masked_column_names_the_rules():
    rows = csv_rows(written([planted_run()], options(masking=MaskingOptions(variables=("code",)))))

    assert [row["masked"] for row in rows][:3] == ["email, key, phone, variable", "key", "email"]


def test_column_that_says_it_is_added():
    rows = csv_rows(written([run_of("Hi")], PLAIN))

    assert rows[0]["masked"] == OFF


def test_progress_counts_runs_and_rows():
    runs = [run_of("a", "b"), run_of("c", run_id="665f0c2b9a3e4d5f6a7b8c91")]

    progress = write_export(io.BytesIO(), runs, PLAIN)

    assert (progress.runs, progress.rows) == (2, 3)


@pytest.mark.parametrize(
    "chosen",
    [PLAIN, options("xlsx"), options("jsonl", shape="turn"), options(preset=LEX), options(shape="event")],
)
def test_runs_without_row_are_named(chosen):
    ids = [f"{number:024x}" for number in range(9)]
    runs = [run_of(*(["Hi"] if number in {2, 8} else []), run_id=ids[number]) for number in range(9)]

    some = write_export(io.BytesIO(), runs, chosen)
    one = write_export(io.BytesIO(), runs[1:3], chosen)
    none = write_export(io.BytesIO(), runs[2:3], chosen)

    assert some.rowless_words == f"7 of 9 runs have no row: {', '.join([*ids[:2], *ids[3:6]])} and 2 more."
    assert one.rowless_words == f"1 of 2 runs has no row: {ids[1]}."
    assert none.rowless_words == ""


@pytest.mark.parametrize("name", ["html", "run"])
def test_format_without_rows_names_no_run(name):
    progress = write_export(io.BytesIO(), [run_of()], options(name))

    assert progress.rowless_words == ""


@pytest.mark.parametrize("name", EXPORTS)
def test_every_format_is_cancelled_between_runs(name):
    progress = ExportProgress(cancelled=threading.Event())
    read = []

    def runs():
        for number in range(100):
            read.append(number)
            if number == 50:
                progress.cancelled.set()
            yield run_of("Hi", run_id=f"{number:024x}")

    with pytest.raises(ExportCancelled):
        write_export(io.BytesIO(), runs(), options(name), progress)

    assert len(read) <= 52


@pytest.mark.parametrize("shape", ["turn", "message", "event"])
def test_export_of_a_long_run_is_cancelled_within_it(shape):
    """A run of 100,000 events is read for seconds before its first row."""
    progress = ExportProgress(cancelled=threading.Event())
    run = run_of(*map(str, range(2_000)))
    reads = []

    def watched(read):
        def turn():
            reads.append(read)
            if len(reads) == 50:
                progress.cancelled.set()
            return read()

        return turn

    record = replace(run.record, turns=list(map(watched, run.record.turns)))

    with pytest.raises(ExportCancelled):
        write_export(io.BytesIO(), [replace(run, record=record)], options("csv", shape=shape), progress)

    assert len(reads) < 1_000


@pytest.mark.parametrize("name", EXPORTS)
def test_export_without_runs_is_a_whole_file(name):
    data = written([], options(name))

    assert data or name == "run"


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (ExportOptions("docx"), "There is no format 'docx'."),
        (replace(PLAIN, csv=replace(PLAIN.csv, separator="|")), "'|' cannot separate columns."),
        (ExportOptions(table=TableOptions("turn", ("mood",))), "There is no column 'mood'."),
        (options("xlsx", LEX), "A Lex test set is a CSV file."),
    ],
)
def test_impossible_options_are_refused(chosen, words):
    with pytest.raises(InputError) as caught:
        write_export(io.BytesIO(), [], chosen)

    assert words in str(caught.value)


def test_turns_of_a_run_in_progress_are_left_out():
    run = run_of("Hi", "there")
    pairs = [read() for read in run.record.turns]
    pairs[1] = type(pairs[1]).from_wire({**pairs[1].to_wire(), "in_progress": True})
    record = replace(run.record, turns=[lambda pair=pair: pair for pair in pairs])

    rows = csv_rows(written([replace(run, record=record)], PLAIN))

    assert [row["text"] for row in rows] == ["Hi"]


@pytest.mark.parametrize("word", ["completed", "start", "665f0c2b9a3e4d5f6a7b8c90"])
def test_hidden_word_keeps_a_run_readable(word):
    run = run_of("Hi", runtime_variables={"code": word})
    chosen = options("run", masking=MaskingOptions(variables=("code",)), is_single=True)

    found = read_run_file(written([run], chosen)).record()

    assert (found.workflow_run_id, found.status) == (run.run.workflow_run_id, "completed")


def test_secrets_of_urls_are_in_no_format():
    run = run_of("It is https://me:hush-hush@tea.example/?api_key=hush-hush, or mail me")

    for name, text in every_text(run):
        assert "hush-hush" not in text, name
        assert "or mail me" in text, name


def test_excel_keeps_texts_that_look_like_markup():
    texts = ["<r>Hello & goodbye</r>", "<r><t>x</t></r>", "<r></r>"]

    book = openpyxl.load_workbook(io.BytesIO(written([run_of(*texts)], replace(PLAIN, format="xlsx"))))

    _, *rows = book["Rows"].iter_rows(values_only=True)
    assert [row[1] for row in rows] == texts


@pytest.mark.parametrize("name", sorted(EXPORTS.keys() - {"run"}))
def test_run_that_cannot_be_read_is_named(name):
    pair = {"run_input": {}, "run_output": {"events": [{"type": "assistant_response", "timestamp": "soon"}]}}
    record = {"workflow_run_id": "b" * 24, "workflow_id": "1" * 24, "status": "completed"}
    bad = exported(Run.from_wire({**record, "input_output_pairs": [pair]}))

    with pytest.raises(InputError) as caught:
        written([run_of("Hi"), bad], replace(PLAIN, format=name))

    assert caught.value.message.startswith(f"Run {'b' * 24} cannot be exported: Event: timestamp: ")
