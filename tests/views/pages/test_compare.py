from __future__ import annotations

import json

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.recorded import RecordedBackend
from debugger.errors import StoreError
from debugger.protocol.run_file import RunFile
from debugger.protocol.runs import ForkRecord, TurnInput
from debugger.session.loading import load_run
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection
from debugger.views.pages import compare as compare_page
from debugger.views.panels.compare import actions as compare_actions
from debugger.views.panels.compare.actions import CompareState
from debugger.views.run_state import CurrentRun
from tests.support.factories import direct, document, say, static, when
from tests.views.bars import control, items, use, words
from tests.views.records import record_of
from tests.views.row_lists import choose, drawn, rows


@pytest.fixture
def app(view):
    """The page."""
    return view("compare")


@pytest.fixture
def held(app):
    """Gives what the page remembers."""
    return lambda: record_of(app, CompareState)


def desk(prompt="Talk."):
    """A desk that leads to tea or coffee."""
    parts = static("hi", "Hello"), say("desk", prompt), static("tea", "Tea!"), static("coffee", "Coffee!")
    ways = when("desk", "tea", freeform="wants tea"), when("desk", "coffee", freeform="wants coffee")
    return document(*parts, direct("hi", "desk"), *ways)


def play(backend, workflow_id, *said, version=None):
    run_id = backend.execute(workflow_id, TurnInput(), version_number=version).finish().run_id
    for text in said:
        backend.execute(workflow_id, TurnInput.with_message(text), run_id=run_id).finish()
    return run_id


def open_pair(app, a, b):
    app.query_params["a"], app.query_params["b"] = a, b
    app.run()
    assert not app.exception


def show(app, tab):
    use(app, "compare_tab", tab)
    assert not app.exception


def table(app, label="Rows of both runs"):
    return rows(app, label)


def pair(backend):
    kept = backend.create_workflow(desk(), name="Drinks")
    return [play(backend, kept.id, f"the caller wants {drink}") for drink in ("tea", "coffee")]


def markdown(app):
    return "\n".join(each.value for each in app.markdown)


def verdict(app):
    """The badge above the comparison."""
    return items(app, "compare_sentence")[0]["text"]


def sentence(app):
    """The sentence above the comparison."""
    return items(app, "compare_sentence")[1]["text"]


def ignored(app):
    """The names of what is ignored, as the menu has them."""
    menu = next(item for item in items(app, "compare_tabs") if item["kind"] == "menu")
    return menu["label"], [each["label"] for each in menu["items"] if each.get("value")]


def test_without_runs_page_says_what_would_be_here(app):
    app.run()

    assert not app.exception
    assert any("Choose run A and run B above" in caption.value for caption in app.caption)
    assert control(app, "compare_swap").disabled


def test_address_opens_two_runs_where_they_part(app, backend, held):
    open_pair(app, *pair(backend))

    assert "first difference in turn 2" in sentence(app)
    row = held().row
    assert drawn(app, "Rows of both runs")["chosen"] == row
    chosen = table(app)[row]
    assert (chosen["turn"], chosen["type"]) == ("2", "input")
    assert (chosen["a"], chosen["b"]) == ("the caller wants tea", "the caller wants coffee")
    assert chosen["difference"] == ['~ content: "the caller wants tea" → "the caller wants coffee"']


def test_address_names_what_page_shows(app, backend):
    a, b = pair(backend)
    app.run()

    app.selectbox("compare_a").set_value(a).run()
    app.selectbox("compare_b").set_value(b).run()

    assert not app.exception
    assert (app.query_params["a"], app.query_params["b"]) == (a, b)
    assert "first difference in turn 2" in sentence(app)


def test_address_that_browser_sent_too_late_takes_no_choice_back(app, backend, held):
    a, b = pair(backend)
    open_pair(app, a, a)
    app.selectbox("compare_b").set_value(b).run()

    app.query_params["b"] = a
    app.run()

    assert held().runs["b"].run.workflow_run_id == b
    assert app.query_params["b"] == b


def test_address_that_somebody_types_is_followed(app, backend, held):
    a, b = pair(backend)
    open_pair(app, a, a)

    app.query_params["b"] = b
    app.run()

    assert held().runs["b"].run.workflow_run_id == b


def test_runs_of_same_workflow_are_offered_first(app, backend):
    a, b = pair(backend)
    other = play(backend, backend.create_workflow(document(static("x", "Bye")), name="Bye").id)
    app.query_params["a"] = a
    app.run()

    offered = app.selectbox("compare_b").options

    assert ["Bye" in option for option in offered] == [False, False, True]
    assert [option[-6:] for option in offered] == [b[-6:], a[-6:], other[-6:]]


def test_id_that_no_run_has_is_told_and_run_before_stays(app, backend, held):
    a, b = pair(backend)
    open_pair(app, a, b)

    box = app.selectbox("compare_b")
    box.options.append("665f0c2b9a3e4d5f6a7b8c90")  # as typed: the test's browser knows only what is offered
    box.set_value("665f0c2b9a3e4d5f6a7b8c90").run()

    assert not app.exception
    assert "665f0c2b9a3e4d5f6a7b8c90" in app.error[0].value
    assert held().runs["b"].run.workflow_run_id == b
    assert "first difference in turn 2" in sentence(app)


def test_one_of_two_runs_that_cannot_be_found_leaves_other(app, backend, held):
    a, _ = pair(backend)
    open_pair(app, a, "nonsense")

    assert "nonsense" in app.error[0].value
    assert held().runs["a"].run.workflow_run_id == a
    assert any("Choose run B above" in caption.value for caption in app.caption)


def test_differences_are_gone_through_with_buttons(app, backend, held):
    open_pair(app, *pair(backend))
    first, differing = held().row, held().side_by_side().comparison.differing

    use(app, "compare_next")
    use(app, "compare_next")
    third = held().row
    use(app, "compare_previous")
    second = held().row
    use(app, "compare_first")

    assert [first, second, third] == differing[:3]
    assert held().row == first
    assert control(app, "compare_previous").disabled


def test_long_table_shows_page_of_first_difference(app, backend, held, monkeypatch):
    monkeypatch.setattr("debugger.analysis.paging.SIZE", 5)
    kept = backend.create_workflow(desk(), name="Drinks")
    said = "hello", "what is there", "good"
    runs = [play(backend, kept.id, *said, f"the caller wants {drink}") for drink in ("tea", "coffee")]

    open_pair(app, *runs)
    row, shown = held().row, drawn(app, "Rows of both runs")
    use(app, "compare_rows_previous_page")

    assert shown["rows"][shown["chosen"]]["target"] == [row]
    assert len(shown["rows"]) == 5
    assert drawn(app, "Rows of both runs")["chosen"] is None
    choose(app, [row - 5], "Rows of both runs")
    choose(app, [], "Rows of both runs")
    assert held().row == row - 5


@pytest.mark.parametrize("target", [[999], [-1], [True], ["1"], "1", [1, 2]])
def test_odd_row_of_a_browser_is_ignored(app, backend, held, target):
    open_pair(app, *pair(backend))
    row = held().row

    choose(app, target, "Rows of both runs")

    assert held().row == row


def test_differing_rows_can_be_shown_alone(app, backend, held):
    open_pair(app, *pair(backend))
    assert ["= same"] in [row["difference"] for row in table(app)]

    use(app, "compare_only_differences", True)

    assert not app.exception
    assert ["= same"] not in [row["difference"] for row in table(app)]
    found = held().side_by_side().comparison
    assert len(table(app)) == len(found.differing)
    assert f"{len(found.differing)} of {len(found.rows)} rows differ" in words(app)


def test_chosen_row_shows_both_events_and_what_differs(app, backend, held):
    open_pair(app, *pair(backend))
    held().row = next(
        place
        for place, row in enumerate(held().side_by_side().comparison.rows)
        if row.status == "changed" and held().side_by_side().comparison.get_item(row).type == "user_messages"
    )

    app.run()

    assert "**user\\_messages**" in markdown(app)
    assert (
        {
            "path": ["messages[0].content"],
            "a": ["the caller wants ", "tea"],
            "b": ["the caller wants ", "coffee"],
        }
    ) in table(app, "Fields that differ")
    assert [json.loads(each.value)["type"] for each in app.json] == ["user_messages", "user_messages"]


def test_more_is_ignored_or_less(app, backend, held):
    kept = backend.create_workflow(desk())
    open_pair(app, *(play(backend, kept.id) for _ in range(2)))
    assert verdict(app) == "Nothing differs"
    label, names = ignored(app)
    assert label == f"Ignore ({len(names)})"

    use(app, "compare_ignoring_times", False)

    assert not app.exception
    assert "times" not in held().ignoring
    assert ignored(app) == (f"Ignore ({len(names) - 1})", [name for name in names if name != "times"])
    assert (verdict(app), "first difference in turn 1" in sentence(app)) == ("Different", True)


def test_turns_of_b_can_be_put_beside_later_ones(app, backend, held):
    open_pair(app, *pair(backend))

    app.number_input("compare_shift").set_value(2).run()

    assert not app.exception
    assert held().side_by_side().turns == [1, 2, 3]


def test_swapped_runs_change_places(app, backend, held):
    a, b = pair(backend)
    open_pair(app, a, b)

    use(app, "compare_swap")

    assert not app.exception
    assert (app.query_params["a"], app.query_params["b"]) == (b, a)
    assert "“the caller wants coffee” in A" in sentence(app)


def test_runs_that_went_on_are_read_again(app, backend, held):
    kept = backend.create_workflow(desk())
    a, b = play(backend, kept.id), play(backend, kept.id)
    open_pair(app, a, b)
    backend.execute(kept.id, TurnInput.with_message("hm"), run_id=b).finish()

    use(app, "compare_reload")

    assert sentence(app) == "A 1 turn, B 2 turns; turn 1 is the same, then A ends and B continues."


def test_path_tab_tells_who_came_by(app, backend):
    open_pair(app, *pair(backend))

    show(app, "Path")

    found = {row["name"]: (row["share"], row["a"], row["b"]) for row in table(app, "Nodes and edges")}
    assert found["Tea"] == ("A only", "1", "0")
    assert found["Coffee"] == ("B only", "0", "1")
    assert found["Desk"][0] == "both"
    assert any(text.startswith("dashed line: ") for text in words(app))


def test_transcript_tab_marks_words_that_differ(app, backend):
    open_pair(app, *pair(backend))

    show(app, "Transcript")

    said = next(row for row in table(app, "Messages of both runs") if row["who"] == "User")
    assert said["turn"] == "2"
    assert (said["a"], said["b"]) == (["the caller wants ", "tea"], ["the caller wants ", "coffee"])
    assert said["difference"] == ["~ changed"]


def test_what_was_said_is_no_markdown(app, backend):
    kept = backend.create_workflow(desk())
    a, b = (play(backend, kept.id, said) for said in ("![x](http://127.0.0.1/a.png) | a", "# b | c"))
    open_pair(app, a, b)

    show(app, "Transcript")

    assert "![x]" not in markdown(app)
    assert ["![x](http://127.0.0.1/a.png) | a"] in [row["a"] for row in table(app, "Messages of both runs")]


def test_state_tab_tells_variables_of_turn(app, backend):
    kept = backend.create_workflow(desk())
    a, b = (
        backend.execute(kept.id, TurnInput(dynamic_variables={"shop": shop})).finish().run_id
        for shop in ("Leaf", "Bean")
    )
    open_pair(app, a, b)

    show(app, "State")

    [row] = table(app, "Variables of both")
    assert row == {"path": "dynamic.shop", "a": ["Leaf"], "b": ["Bean"], "difference": ["~ changed"]}


def test_versions_tab_lists_what_differs(app, backend):
    kept = backend.create_workflow(desk())
    backend.store.create_version(kept.id, document=desk("Sing."), mark_as_active=True)
    open_pair(app, play(backend, kept.id, version=0), play(backend, kept.id, version=1))

    show(app, "Versions")

    assert [row["name"] for row in table(app, "Nodes, edges and settings")] == ["Desk"]
    assert ["Sing."] in [row["b"] for row in table(app, "Fields that differ")]
    facts = {row["name"]: row for row in table(app, "Facts of both runs")}
    assert facts["Version"] == {"name": "Version", "a": "v0", "b": "v1", "difference": "another version"}
    choose(app, [5], "Nodes, edges and settings")
    assert ["Sing."] in [row["b"] for row in table(app, "Fields that differ")]


def test_run_whose_workflow_is_gone_is_compared_without_its_versions(app, backend):
    a, b = pair(backend)
    backend.delete_workflow(backend.run(a).workflow_id)
    open_pair(app, a, b)

    for tab in ("Path", "Transcript", "State", "Versions"):
        show(app, tab)

    assert any("The workflow was deleted" in each.value for each in app.caption)


def test_run_of_other_backend_stands_beside_one_of_this(app, backend, held, tmp_path):
    other = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/other.sqlite3", responder="rules"))
    there = play(other, other.create_workflow(desk()).id, "the caller wants tea")
    here = play(backend, backend.create_workflow(desk()).id, "the caller wants tea")
    app.run()
    record_of(app, HostedConnection).backend = other

    app.selectbox("compare_a").set_value(here).run()
    app.selectbox("compare_b").set_value(f"hosted:{there}").run()
    other.close()

    assert not app.exception
    assert app.query_params["b"] == f"hosted:{there}"
    assert verdict(app) == "Nothing differs"


def test_backend_that_fails_leaves_runs_on_view(app, backend):
    open_pair(app, *pair(backend))

    backend.fault = StoreError("The database is gone.")
    record_of(app, BackendCache).expire()
    app.run()

    assert not app.exception
    assert "first difference in turn 2" in sentence(app)


@pytest.fixture
def look_at(app, backend):
    """Puts a run on view, as the page Debug does, and opens this page."""

    def shown(run_id):
        app.run()
        record_of(app, CurrentRun).session = DebugSession.open(backend, run_id)
        app.run()
        assert not app.exception

    return shown


def compared(held):
    """The ids of both runs."""
    return [held().runs[side].run.workflow_run_id for side in sorted(held().runs)]


def test_run_on_view_is_compared_with_previous_run(app, backend, held, look_at):
    a, b = pair(backend)
    play(backend, backend.create_workflow(desk(), name="Other").id)
    later = play(backend, backend.run(a).workflow_id)

    look_at(b)

    assert compared(held) == [a, b]
    assert (app.query_params["a"], app.query_params["b"]) == (a, b)
    assert later not in compared(held)


def test_fork_on_view_is_compared_with_its_parent(app, backend, held, look_at):
    a, _ = pair(backend)
    fork = backend.fork(a, 2)
    backend.execute(backend.run(a).workflow_id, TurnInput.with_message("hm"), run_id=fork).finish()

    look_at(fork)

    assert compared(held) == [a, fork]


def test_rebuilt_fork_on_view_is_compared_with_its_source(app, backend, held, look_at):
    a, _ = pair(backend)
    later = play(backend, backend.run(a).workflow_id)
    backend.store.forks.keep(ForkRecord(run_id=later, source_run_id=a, turn_number=1, way="replayed"))

    look_at(later)

    assert compared(held) == [a, later]


def test_first_run_of_workflow_is_run_b_alone(app, backend, held, look_at):
    a, _ = pair(backend)

    look_at(a)

    assert held().runs.keys() == {"b"}
    assert any("Choose run A above" in caption.value for caption in app.caption)


def test_suggested_pair_follows_run_on_view(app, backend, held, look_at):
    a, b = pair(backend)
    later = play(backend, backend.run(a).workflow_id)
    look_at(b)

    look_at(later)
    assert compared(held) == [b, later]

    look_at(b)  # opened from this page: it is one of the pair
    assert compared(held) == [b, later]


def test_chosen_pair_outlives_change_of_run_on_view(app, backend, held, look_at):
    a, b = pair(backend)
    later = play(backend, backend.run(a).workflow_id)
    look_at(b)
    app.selectbox("compare_b").set_value(a).run()

    look_at(later)

    assert compared(held) == [a, a]


def test_pickers_are_drawn_before_runs_are_read(app, backend, monkeypatch):
    a, b = pair(backend)
    drawn = []
    monkeypatch.setattr(compare_page, "pickers", lambda: drawn.append("pickers"))
    monkeypatch.setattr(compare_actions, "load_run", lambda *_: drawn.append("run") or load_run(*_))

    open_pair(app, a, b)

    assert drawn == ["pickers", "run", "run", "pickers"]


def test_rows_say_what_changed(app, backend):
    open_pair(app, *pair(backend))

    changes = {row["type"]: row["difference"] for row in table(app)}

    assert '"the caller wants tea" → "the caller wants coffee"' in changes["input"][0]


def test_absent_or_null_is_listed_as_ignored(app, backend):
    open_pair(app, *pair(backend))

    assert "absent or null" in ignored(app)[1]


def test_recording_is_told_from_its_stored_run(app, backend):
    a, _ = pair(backend)
    recording = RecordedBackend(RunFile(run=backend.run(a).to_wire()))
    app.run()
    record_of(app, CurrentBackend).name, record_of(app, CurrentBackend).recording = "recording", recording

    app.run()
    beside_stored = app.selectbox("compare_a").options
    record_of(app, HostedConnection).backend = backend
    record_of(app, BackendCache).clear()
    app.run()

    assert not app.exception
    for options in (beside_stored, app.selectbox("compare_a").options):
        assert len(set(options)) == len(options)
        assert any(" · Recording · " in option for option in options)
