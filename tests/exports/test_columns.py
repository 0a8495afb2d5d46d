from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest

from debugger.analysis.metrics import Costs
from debugger.boundary import Kind, MaskingOptions, boundary
from debugger.errors import InputError
from debugger.exports.choices import read_columns
from debugger.exports.column_values import cost_of, currency_of
from debugger.exports.columns import _KIND_OF, _KINDS, _MADE, COLUMNS, choose_columns, columns_of
from debugger.exports.presets import PRESETS, preset_columns
from debugger.exports.sources import RunReader
from debugger.protocol.notes import Comment, Rating, RunNotes, Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import BACKGROUND, ForkRecord, Run, TurnInput
from tests.support.clinic import clinic_call
from tests.support.export_columns import DOCUMENT, document
from tests.support.exports import NO_MASKING, csv_rows, exported, options, written

RUN, TEA = "665f0c2b9a3e4d5f6a7b8c90", "665f00000000000000000001"
ISSUE = """
run_id parent_run_id fork_turn fork_fidelity workflow_name version_number backend environment started_at
duration_ms status_at_turn final_status end_reason turn sequence role text node node_type thread path
edge_taken edge_condition edge_verdict is_waiting_for_input next_input_hint_kind changed_variables
tokens_in tokens_out latency_ms error_type error_message mocked masked tags star rating verdict reviewer
comment expected match
"""


@cache
def sheet(shape="message"):
    """The rows of the clinic call that a reviewer sees."""
    backend, run_id = clinic_call()
    run = RunReader(backend, backend.store).run(run_id)
    columns = (*preset_columns("qa-review", shape), "variable:full_name", "variable:slots.count")
    return csv_rows(written([run], options(shape=shape, masking=NO_MASKING, columns=columns)))


def agent(turn):
    return next(row for row in sheet() if row["turn"] == str(turn) and row["role"] == "agent")


def caller(turn):
    return next(row for row in sheet() if row["turn"] == str(turn) and row["role"] == "user")


QUESTIONS = {
    "What did the caller say in turn 3?": lambda: caller(3)["text"].startswith("My name is Ada Moreno"),
    "What did the agent ask in turn 2?": lambda: "full name and your date of birth" in agent(2)["text"],
    "Did turn 2 route to 'book'?": lambda: "book" in agent(2)["edge_taken"].split(" > "),
    "Which way did turn 2 take?": lambda: (
        agent(2)["path"] == "Intent desk > book > Booking intake > incomplete > Booking questions"
    ),
    "Why did turn 2 go to booking?": lambda: (
        "wants to book" in agent(2)["edge_condition"] and "book: model chose" in agent(2)["edge_verdict"]
    ),
    "Why were slots looked for in turn 5?": lambda: (
        "complete: condition held (isPresent('Ada Moreno')" in agent(5)["edge_verdict"]
    ),
    "Where does it wait after turn 3?": lambda: agent(3)["waits_at"] == "Booking intake",
    "What changed in turn 3?": lambda: (
        agent(3)["changes"].splitlines()
        == ["runtime.full_name: (none) → Ada Moreno", "runtime.date_of_birth: (none) → 1990-03-03"]
    ),
    "Which slot did turn 6 choose?": lambda: "runtime.choice: (none) → first" in agent(6)["changes"],
    "Where did turn 7 go after its answer?": lambda: (
        agent(7)["path_after"] == "Booked > always > Wrap up > always > Intent desk"
    ),
    "Did any turn take longer than five seconds?": lambda: (
        {row["turn"] for row in sheet() if row["turn_ms"] and float(row["turn_ms"]) < 5000}
        == {str(turn) for turn in range(1, 9)}
    ),
    "How did the call end, and did anything fail?": lambda: (
        agent(8)["status_at_turn"] == agent(8)["final_status"] == "completed"
        and not any(row["error_message"] for row in sheet())
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_reviewer_answers_from_the_sheet_alone(question):
    assert QUESTIONS[question]()


def test_turn_rows_have_the_whole_path():
    row = next(row for row in sheet("turn") if row["turn"] == "2")

    assert row["path"].endswith("> Booking questions > always > Booking intake")
    assert (row["user_text"], row["edge_taken"]) == (caller(2)["text"], "book > incomplete > always")


def test_variables_are_columns_of_their_own():
    assert [row["variable:full_name"] for row in sheet() if row["variable:full_name"]] == ["Ada Moreno"]


def states_of(*states):
    """A run with a turn for each state of the variables."""
    pairs = [
        {
            "run_input": {"command": "start"},
            "run_output": {
                "events": [{"type": "workflow_show_state", "thread_id": "0", "runtime_variables": state}]
            },
        }
        for state in states
    ]
    record = {"workflow_run_id": RUN, "workflow_id": TEA, "status": "completed", "input_output_pairs": pairs}
    return exported(Run.from_wire(record))


@pytest.mark.parametrize("masking", [NO_MASKING, MaskingOptions()])
def test_secret_parts_of_variables_are_masked(masking):
    run = states_of(
        {"login": {"user": "Ada", "client_secret": "hush-1"}, "credentials": {"value": "hush-2"}},
        {"login": {"user": "Ada", "client_secret": "hush-3"}, "credentials": {"value": "hush-4"}},
    )
    columns = ("changes", "changed_variables", "variable:login", "variable:credentials")

    rows = csv_rows(written([run], options(shape="turn", masking=masking, columns=columns)))

    assert "hush" not in str(rows)
    assert "hush" not in written([run], options("html", masking=masking)).decode()
    assert rows[1]["variable:login"] == "client_secret: ***"


def test_all_changed_parts_of_a_variable_are_shown():
    run = states_of(
        {"order": {"tea": "Assam", "cups": [1]}},
        {"order": {"tea": "Darjeeling", "cups": [2]}},
        {"order": {"tea": "Darjeeling", "cups": [3]}},
    )
    columns = ("variable:order", "variable:order.cups")

    rows = csv_rows(written([run], options(shape="turn", masking=NO_MASKING, columns=columns)))

    assert [row["variable:order"] for row in rows[1:]] == ["tea: Darjeeling\ncups[0]: 2", "cups[0]: 3"]
    assert rows[2]["variable:order.cups"] == "[0]: 3"


def test_listed_and_named_values_are_masked_in_changes():
    run = states_of(
        {"customer": {"seat": "7Q"}, "phone": ["12-34"], "seen": {"a@b.de": 1}},
        {"customer": {"seat": "8Q"}, "phone": ["12-39"], "seen": {"a@b.de": 2}},
    )
    masking = MaskingOptions(variables=("customer",))
    columns = ("changes", "changed_variables", "variable:customer", "variable:phone", "variable:seen")

    texts = [
        written([run], options(shape="turn", masking=masking, columns=columns)),
        written([run], options(shape="event", masking=masking, columns=("summary", "payload"))),
        written([run], options("html", masking=masking)),
    ]

    for text in texts:
        assert not [value for value in (b"7Q", b"8Q", b"12-3", b"a@b.de") if value in text]


def test_every_column_of_the_issue_exists():
    assert set(ISSUE.split()) <= set(columns_of("message"))


@pytest.mark.parametrize("shape", ["turn", "message", "event"])
def test_presets_are_of_known_columns(shape):
    for preset, names in PRESETS.items():
        assert set(names) <= set(COLUMNS)
        assert not names or choose_columns(preset_columns(preset, shape), shape)


@pytest.mark.parametrize(
    ("names", "shape", "words"),
    [
        (["mood"], "message", "There is no column 'mood'. Choose from schema_version, run_id"),
        ([], "turn", "No column was chosen."),
        (["payload"], "message", "Rows of the shape message have no column 'payload'."),
        (["variable:"], "message", "There is no column 'variable:'."),
        (["variable:tea"], "event", "Rows of the shape event have no column 'variable:tea'."),
    ],
)
def test_unknown_columns_are_refused(names, shape, words):
    with pytest.raises(InputError) as caught:
        choose_columns(names, shape)

    assert words in str(caught.value)


def reviewed_run(**fields):
    backend, run_id = clinic_call()
    run = backend.run(run_id)
    notes = RunNotes(
        starred=True,
        tags=["Monday", "VIP"],
        note="see 2",
        comments=[
            Comment(
                logical_id="c", target=Target.turn(2), author="Bo", content="Polite", created_at="2026-01-01"
            )
        ],
        ratings=[Rating(target=Target.turn(2), author="Bo", value="up", created_at="2026-01-01")],
    )
    verdicts = [
        Verdict(run_id=run_id, target=Target(), value="unsure", reviewer="Ada", comment="so so"),
        Verdict(run_id=run_id, target=Target.turn(2), value="fail", reviewer="Ada", updated_at="2026-01-02"),
        Verdict(run_id=run_id, target=Target.turn(2), value="pass", reviewer="Bo", updated_at="2026-01-03"),
        Verdict(
            run_id=run_id,
            target=Target.message(3),
            value="fail",
            reviewer="Ada",
            comment="too long",
            checks={"greets": "pass"},
        ),
    ]
    return exported(run, backend.workflow(run.workflow_id), notes=notes, verdicts=verdicts, **fields)


def test_review_of_turns_and_runs():
    columns = "turn verdict reviewer verdicts run_verdict run_reviewer run_comment rating remarks tags star"

    rows = csv_rows(written([reviewed_run()], options(shape="turn", columns=columns.split())))

    assert list(rows[1].values()) == [
        *("2", "pass", "Bo", "fail (Ada); pass (Bo)", "unsure", "Ada", "so so", "up", "Bo: Polite"),
        *("Monday, VIP", "true"),
    ]
    assert (rows[2]["verdict"], rows[2]["run_verdict"]) == ("", "unsure")


def test_review_of_messages():
    columns = ["sequence", "verdict", "reviewer", "comment", "checks", "turn_verdict", "rating", "remarks"]

    rows = csv_rows(written([reviewed_run()], options(columns=columns)))

    assert list(rows[1].values()) == ["2", "", "", "", "", "", "", ""]
    assert list(rows[2].values()) == [
        "3",
        "fail",
        "Ada",
        "too long",
        "greets: pass",
        "pass",
        "up",
        "Bo: Polite",
    ]


@pytest.mark.parametrize("shape", ["turn", "message", "event"])
def test_rubric_of_a_run_is_in_every_row(shape):
    verdict = {"run_id": "665f0c2b9a3e4d5f6a7b8c90", "target": Target()}
    ada = Verdict(**verdict, value="fail", reviewer="Ada", comment="late", checks={"greets": "pass"})
    run = replace(reviewed_run(), verdicts=[ada], notes=RunNotes())
    columns = ["checks", "check:greets", "check:asks", "run_verdicts"]

    rows = csv_rows(written([run], options(shape=shape, columns=columns)))

    assert {tuple(row.values()) for row in rows} == {("greets: pass", "pass", "", "Ada (fail): late")}


def test_check_with_a_comma_is_a_column():
    choices = read_columns('run_id,"check:greets, then asks"', ())

    assert choices.columns == ("run_id", "check:greets, then asks")


def test_page_has_rubric_and_all_reasons():
    verdict = {"run_id": "665f0c2b9a3e4d5f6a7b8c90", "target": Target()}
    ada = Verdict(**verdict, value="fail", reviewer="Ada", comment="late", checks={"greets": "pass"})
    bob = Verdict(**verdict, value="pass", reviewer="Bob", comment="in time", updated_at="2026-01-03")

    page = written([replace(reviewed_run(), verdicts=[ada, bob])], options("html")).decode()

    assert "greets: pass" in page
    assert "Ada (fail): late</p>" in page
    assert "Bob (pass): in time</p>" in page


def test_results_of_several_reviewers_name_them():
    verdict = {"run_id": "665f0c2b9a3e4d5f6a7b8c90", "target": Target()}
    ada = Verdict(**verdict, value="pass", reviewer="Ada", checks={"greets": "pass"}, updated_at="2026-01-02")
    bob = Verdict(**verdict, value="fail", reviewer="Bob", checks={"greets": "fail"}, updated_at="2026-01-03")
    cy = Verdict(**verdict, value="unsure", reviewer="Cy", updated_at="2026-01-04")
    run = replace(reviewed_run(), verdicts=[ada, bob, cy])

    [row, *_] = csv_rows(written([run], options(columns=["checks", "check:greets"])))

    assert list(row.values()) == ["greets: pass (Ada), fail (Bob)", "pass (Ada), fail (Bob)"]


def test_forks_name_their_parent():
    run = Run(
        workflow_run_id="665f0c2b9a3e4d5f6a7b8c90",
        workflow_id="665f00000000000000000001",
        status="completed",
        source_workflow_run_id="665f0c2b9a3e4d5f6a7b8c91",
        checkpoint_source_turn_index=2,
        created_at="2026-07-28T00:53:00Z",
        updated_at="2026-07-28T00:54:30Z",
    )
    fork = ForkRecord(
        run_id=run.workflow_run_id, source_run_id="x", turn_number=3, fidelity={"verdict": "verified"}
    )

    found = exported(run, fork=fork)

    assert (found.parent_id, found.fork_turn, found.fork_fidelity) == (
        "665f0c2b9a3e4d5f6a7b8c91",
        3,
        "exact, verified",
    )
    assert found.duration_ms == 90_000


@pytest.mark.parametrize("shape", ["turn", "message"])
def test_costs_follow_prices_of_settings(shape, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_PRICES", "gpt-*=1/3 USD")

    rows = cost_rows(shape)

    assert [row["cost"] for row in rows if row["turn"] == "1"][-1] == "0.0025"
    assert [row["cost"] for row in rows if row["turn"] == "2"][-1] == "0.004"
    assert sum(row["cost"] != "" for row in rows) == 2
    assert {(row["run_cost"], row["currency"]) for row in rows} == {("0.0065", "USD")}


def test_run_cost_is_in_event_rows(monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_PRICES", "gpt-*=1/3 USD")

    assert {(row["run_cost"], row["currency"]) for row in cost_rows("event")} == {("0.0065", "USD")}


@pytest.mark.parametrize("prices", ["", "claude-*=1/2 USD"])
def test_costs_are_empty_without_price(prices, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_PRICES", prices)

    assert {(row["cost"], row["run_cost"], row["currency"]) for row in cost_rows("turn")} == {("", "", "")}


def test_costs_in_several_currencies_name_them():
    row = SimpleNamespace(run=SimpleNamespace(costs=Costs({"USD": 1.0, "EUR": 0.5}, 0)))

    assert cost_of(row, row.run.costs) == "1.0000 USD + 0.5000 EUR"
    assert cost_of(row, Costs({"EUR": 0.5}, 0)) == "0.5000 EUR"
    assert currency_of(row) == ""


def test_cost_with_unpriced_calls_is_empty():
    row = SimpleNamespace(run=SimpleNamespace(costs=Costs({"USD": 1.0}, 1)))

    assert cost_of(row, row.run.costs) is None
    assert cost_of(row, Costs({"USD": 0.25}, 0)) == 0.25


def cost_rows(shape):
    """The cost columns of a run of two turns: 1,000 and 2,500 tokens in, 500 each out."""
    pairs = [
        {
            "run_input": TurnInput.with_message(f"question {number}").to_wire(),
            "run_output": {"events": answered(number, tokens)},
        }
        for number, tokens in ((1, 1000), (2, 2500))
    ]
    run = Run(workflow_run_id="r", workflow_id="w", status="running", input_output_pairs=pairs)
    columns = [name for name in ("turn", "run_cost", "currency", "cost") if name in columns_of(shape)]
    return csv_rows(written([exported(run)], options(shape=shape, masking=NO_MASKING, columns=columns)))


def answered(number, tokens):
    usage = {"prompt_tokens": tokens, "completion_tokens": 500, "response_model": "gpt-5.4-mini"}
    node = {"origin_node_logical_id": "chat", "origin_node_name": "Chat", "origin_thread_id": "0"}
    call = {"type": "say_llm", "llm_usage_info": {**usage, "llm_response_id": "a"}}
    events = [{"type": "start_node_run"}, call, {"type": "end_node_run"}]
    return [{**event, **node, "timestamp": number} for event in events]


def test_document_of_columns_is_current():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `python -m tests.support.export_columns`"


def test_each_column_has_a_kind():
    """A column without one could not be exported."""
    kinds = {name: column.kind for name, column in COLUMNS.items()}

    assert set(kinds) | set(_MADE) == set(_KIND_OF)
    assert sum(len(names.split()) for names in _KINDS.values()) == len(_KIND_OF), "a column has two kinds"
    written_by_people = {"text", "user_text", "agent_text", "note", "comment", "tags", "summary"}
    assert {kinds[name] for name in written_by_people} == {Kind.TEXT}
    assert kinds["remarks"] is Kind.REMARKS


def remarked(*verdicts, states=({"tea": "green"},)):
    """A run with verdicts on it as a whole."""
    own = [Verdict(run_id=RUN, target=Target(), **verdict) for verdict in verdicts]
    return replace(states_of(*states), verdicts=own)


@pytest.mark.parametrize("shape", ["turn", "event"])
@pytest.mark.parametrize("file_format", ["csv", "jsonl", "html"])
def test_remark_repeats_no_masked_variable(file_format, shape):
    """Rules mask a variable by its name from the turn on that sets it, and a remark is in all rows."""
    comment = "QX-77-AB was misheard"
    run = remarked(
        {"value": "fail", "reviewer": "Ada", "comment": comment},
        states=({"tea": "green"}, {"passport_number": "QX-77-AB"}),
    )

    text = written([run], options(file_format, shape=shape, columns=["run_id", "run_verdicts"])).decode()

    assert "misheard" in text
    assert "QX-77-AB" not in text


def test_reviewers_with_addresses_are_told_apart():
    """A login by OpenID Connect has an e-mail address as its name, which the column of reviewers shows."""
    run = remarked(
        {"value": "fail", "reviewer": "ada@example.org", "checks": {"greets": "pass"}},
        {"value": "pass", "reviewer": "bob@example.org", "checks": {"greets": "fail"}},
    )
    columns = ["run_reviewer", "check:greets", "run_verdicts", "checks"]

    [row] = csv_rows(written([run], options(shape="turn", columns=columns)))

    assert (row["run_reviewer"], row["check:greets"]) == (
        "bob@example.org",
        "pass (ada@example.org), fail (bob@example.org)",
    )
    assert row["run_verdicts"].splitlines() == ["ada@example.org (fail)", "bob@example.org (pass)"]
    assert row["checks"] == "greets: pass (ada@example.org), fail (bob@example.org)"


def test_verdict_of_several_lines_is_one_line():
    """Else a comment can pretend to be the verdict of another reviewer."""
    run = remarked({"value": "fail", "reviewer": "Ada", "comment": "late\nBob (pass): in time"})

    [row] = csv_rows(written([run], options(shape="turn", columns=["run_verdicts"])))

    assert len(row["run_verdicts"].splitlines()) == 1


def test_name_of_a_check_begins_no_formula():
    """A spreadsheet that separates cells by semicolons begins one after each of them, in the head, too."""
    name = "is polite;=HYPERLINK(1)"
    run = remarked({"value": "pass", "reviewer": "Ada", "checks": {name: "pass"}})

    data = written([run], options(shape="turn", columns=["run_id", f"check:{name}"]))

    cells = data.decode("utf-8-sig").replace("\r\n", ";").split(";")
    assert [cell for cell in cells if cell.startswith("=")] == []


def test_remark_is_masked_once_for_all_rows(monkeypatch):
    """Masking 25,000 characters takes seven milliseconds, in each row."""
    comment = "The agent did not greet the caller. " * 20
    run = remarked({"value": "fail", "reviewer": "Ada", "comment": comment}, states=({"tea": "green"},) * 50)
    masked = []
    release_line = boundary.release_line
    monkeypatch.setattr(boundary, "release_line", lambda text: masked.append(text) or release_line(text))

    written([run], options(shape="event", columns=["run_id", "run_verdicts"]))

    assert sum(comment.strip() in text for text in masked) < 5


def test_verdict_is_told_once_beside_background_work():
    """Background work bears the number of the turn before it, but is no turn that a reviewer can choose."""
    pairs = [
        {"run_input": run_input, "run_output": {"events": [{"type": "assistant_response", "response": "Hi"}]}}
        for run_input in (
            {"command": "start"},
            {"command": "data", "miscellaneous": {BACKGROUND: True}},
        )
    ]
    record = {"workflow_run_id": RUN, "workflow_id": TEA, "status": "completed", "input_output_pairs": pairs}
    verdict = Verdict(run_id=RUN, target=Target.turn(1), value="fail", reviewer="Ada", comment="late")
    run = exported(Run.from_wire(record), verdicts=[verdict])

    rows = csv_rows(written([run], options(columns=["turn", "turn_verdicts"])))

    assert [row["turn_verdicts"] for row in rows].count("Ada (fail): late") == 1
    assert written([run], options("html")).decode().count("Ada (fail): late") == 1


def said_run(*turns, verdicts=()):
    """A run whose turns have these events, with verdicts on it as a whole."""
    pairs = [{"run_input": {"command": "start"}, "run_output": {"events": list(turn)}} for turn in turns]
    record = {"workflow_run_id": RUN, "workflow_id": TEA, "status": "completed", "input_output_pairs": pairs}
    own = [Verdict(run_id=RUN, target=Target(), **verdict) for verdict in verdicts]
    return replace(exported(Run.from_wire(record)), verdicts=own)


def says(text):
    """The event of a message."""
    return {"type": "assistant_response", "content": text, "timestamp": 1785200000.0}


def http_answer(body):
    """The event of an HTTP answer."""
    return {"type": "http_request", "status_code": 200, "response_body": body, "timestamp": 1785200000.0}


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "html"])
def test_address_of_a_reviewer_is_masked_in_messages(file_format):
    """A tester calls with an own address, and reviews the run under the login of the same name."""
    by_ada = {"value": "pass", "reviewer": "ada@example.org"}
    run = said_run([says("I wrote to ada@example.org.")], verdicts=[by_ada])

    text = written([run], options(file_format, columns=["text"])).decode()

    assert "I wrote to" in text
    assert "I wrote to ada@example.org" not in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"email": "sent", "mobile": "yes", "phone": "none"}, "Yes, it was sent; there are none left."),
        ({"properties": {"email": {"type": "string", "minLength": 100}}}, "A string costs 100 euros."),
        ({"phone": "{{phone}}"}, "Write {{phone}} here."),
    ],
)
def test_words_beside_personal_names_are_kept(body, said):
    """An answer's status, schema or template stands under the name of a field, and is no personal data."""
    [row] = csv_rows(written([said_run([http_answer(body), says(said)])], options(columns=["text"])))

    assert row["text"] == said


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_name_of_a_check_is_masked_in_heads(file_format):
    """Its cells and the column `checks` have it masked already."""
    name = "asks ada@example.org"
    run = said_run([says("Hi")], verdicts=[{"value": "pass", "reviewer": "Bo", "checks": {name: "pass"}}])

    text = written([run], options(file_format, columns=["text", "checks", f"check:{name}"])).decode()

    assert "ada@example.org" not in text


def test_name_of_a_reviewer_is_in_one_line():
    """A sheet or run file that was imported has any name; a line of it would be another's verdict."""
    run = remarked({"value": "fail", "reviewer": "Ada (pass)\nBob", "comment": "late"})

    [row] = csv_rows(written([run], options(shape="turn", columns=["run_verdicts"])))

    assert len(row["run_verdicts"].splitlines()) == 1
