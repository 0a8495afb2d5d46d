from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from debugger.errors import ConflictError, InputError, NotFoundError
from debugger.protocol.notes import Comment, Rating, RunLabels, RunNotes, Target
from debugger.store import Store, UnfinishedTurn
from tests.store.interrupted import interrupt

RUN = "665f0c2b9a3e4d5f6a7b8c90"
OTHER = "665f0c2b9a3e4d5f6a7b8c91"
TEA = "665f00000000000000000001"


def test_a_run_without_notes_has_empty_ones(notebook):
    assert notebook.notes(RUN) == RunNotes()
    assert notebook.marks([RUN]) == {}


def test_star_tags_and_note_are_independent(notebook):
    notebook.write(RUN, "asks twice")
    notebook.star(RUN)
    notebook.tag(RUN, ["smoke", " late  shift ", "smoke", " "])
    notebook.tag(OTHER, ["smoke"])

    assert notebook.marks([RUN, OTHER]) == {
        RUN: RunLabels(starred=True, tags=["late shift", "smoke"], note="asks twice"),
        OTHER: RunLabels(tags=["smoke"]),
    }
    assert notebook.tags() == ["smoke", "late shift"]


def test_what_was_noted_can_be_taken_back(notebook):
    notebook.star(RUN)
    notebook.tag(RUN, ["smoke"])
    notebook.write(RUN, "asks twice")

    notebook.star(RUN, starred=False)
    notebook.tag(RUN, [])
    notebook.write(RUN, "")

    assert notebook.notes(RUN) == RunNotes()


def test_marks_of_very_many_runs_are_read(notebook):
    notebook.star(OTHER)
    notebook.tag(RUN, ["late"])
    ids = [RUN, *(f"{number:024x}" for number in range(66_000)), OTHER]

    found = notebook.marks(ids)

    assert found == {RUN: RunLabels(tags=["late"]), OTHER: RunLabels(starred=True)}


def test_a_tag_that_is_a_novel_is_refused(notebook):
    notebook.tag(RUN, ["smoke"])

    with pytest.raises(InputError, match="51 characters"):
        notebook.tag(RUN, ["x" * 51])

    assert notebook.notes(RUN).tags == ["smoke"]


def test_changed_tags_leave_the_others(notebook):
    notebook.tag(RUN, ["smoke", "theirs", "wrong"])

    notebook.change_tags([RUN, OTHER], [" late  shift ", "smoke", "wrong"], ["wrong", "gone"])

    assert notebook.notes(RUN).tags == ["late shift", "smoke", "theirs"]
    assert notebook.notes(OTHER).tags == ["late shift", "smoke"]


def test_changed_tags_are_stored_together(notebook):
    notebook.tag(RUN, ["smoke"])

    with pytest.raises(InputError, match="51 characters"):
        notebook.change_tags([RUN], ["x" * 51], ["smoke"])

    assert notebook.notes(RUN).tags == ["smoke"]


def test_tags_of_very_many_runs_are_changed(notebook):
    ids = [f"{number:024x}" for number in range(1_200)]

    notebook.change_tags(ids, ["smoke", "late"], [])
    notebook.change_tags(ids, [], ["late"])

    assert notebook.marks(ids) == {run_id: RunLabels(tags=["smoke"]) for run_id in ids}


def test_note_of_another_user_is_not_overwritten(notebook):
    notebook.write(RUN, "theirs")

    with pytest.raises(ConflictError, match="changed meanwhile; nothing was stored"):
        notebook.write(RUN, "mine", before="")

    assert notebook.notes(RUN).note == "theirs"


@pytest.mark.parametrize("before", ["theirs", "mine", None])
def test_note_replaces_what_was_seen(notebook, before):
    notebook.write(RUN, "theirs")
    if before == "mine":  # both have written the same
        notebook.write(RUN, "mine")

    notebook.write(RUN, "mine", before="" if before == "mine" else before)

    assert notebook.notes(RUN).note == "mine"


def test_comments_target_run_turn_or_event(notebook):
    notebook.comment(RUN, Target(), "Ada", " All in all fine. ")
    notebook.comment(RUN, Target.turn(2), "Ben", "Too slow.")
    notebook.comment(RUN, Target.event("event_2f"), "Ada", "Wrong edge.")
    notebook.comment(OTHER, Target(), "Ada", "Elsewhere.")

    notes = notebook.notes(RUN)

    assert [comment.content for comment in notes.comments_on(Target())] == ["All in all fine."]
    assert [comment.author for comment in notes.comments_on(Target.turn(2))] == ["Ben"]
    assert [comment.content for comment in notes.comments_on(Target.event("event_2f"))] == ["Wrong edge."]
    assert len(notes.comments) == 3


def test_a_comment_is_deleted_once(notebook):
    notebook.comment(RUN, Target(), "Ada", "Fine.")
    [comment] = notebook.notes(RUN).comments

    notebook.delete_comment(RUN, comment.logical_id)

    assert notebook.notes(RUN).comments == []
    with pytest.raises(NotFoundError):
        notebook.delete_comment(RUN, comment.logical_id)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 5_001])
def test_blank_or_long_comment_is_rejected(notebook, text):
    with pytest.raises(InputError):
        notebook.comment(RUN, Target(), "Ada", text)

    assert notebook.notes(RUN).comments == []


def test_an_author_has_one_rating_of_each_thing(notebook):
    notebook.rate(RUN, Target.turn(1), "Ada", "down")
    notebook.rate(RUN, Target.turn(1), "Ben", "up")
    notebook.rate(RUN, Target.turn(1), "Ada", "strong_up")
    notebook.rate(RUN, Target(), "Ada", "up")
    notebook.rate(RUN, Target(), "Ada", None)

    notes = notebook.notes(RUN)

    assert notes.ratings_of(Target.turn(1)) == {"Ada": "strong_up", "Ben": "up"}
    assert notes.ratings_of(Target()) == {}


def test_preset_has_no_secrets_of_nodes(notebook):
    inputs = [{"messages": [], "secret_variables": {"key": "hush"}}, "odd"]
    given = {"thread_to_node_inputs": {"0": {"node_run_inputs": inputs}, "1": None}}

    notebook.keep_preset(TEA, "Known caller", given)

    (preset,) = notebook.presets(TEA)
    assert preset.run_input == {
        "thread_to_node_inputs": {"0": {"node_run_inputs": [{"messages": []}, "odd"]}, "1": None}
    }


def test_presets_are_kept_by_workflow_and_name(notebook):
    given = {"dynamic_variables": {"name": "Ada", "big": 2**64}, "secret_variables": {"key": "hush"}}
    notebook.keep_preset(TEA, "  Known  caller ", given)
    notebook.keep_preset(TEA, "anonymous", {})
    notebook.keep_preset("665f00000000000000000002", "Elsewhere", {})
    notebook.keep_preset(TEA, "anonymous", {"run_by": "qa"})

    found = notebook.presets(TEA)

    assert [(preset.name, preset.run_input) for preset in found] == [
        ("anonymous", {"run_by": "qa"}),
        ("Known caller", {"dynamic_variables": {"name": "Ada", "big": 2**64}}),
    ]


def test_a_preset_needs_a_name(notebook):
    with pytest.raises(InputError, match="1 to 80"):
        notebook.keep_preset(TEA, "  ", {})


def test_a_preset_is_deleted_once(notebook):
    notebook.keep_preset(TEA, "anonymous", {})

    notebook.delete_preset(TEA, "anonymous")

    assert notebook.presets(TEA) == []
    with pytest.raises(NotFoundError, match="anonymous"):
        notebook.delete_preset(TEA, "anonymous")


def test_debug_setup_is_replaced(notebook):
    assert notebook.kit_of(RUN) is None

    notebook.keep_kit(RUN, b'{"breakpoints": []}')
    notebook.keep_kit(RUN, b'{"breakpoints": [1]}')
    kept = notebook.kit_of(RUN)
    notebook.keep_kit(RUN, None)

    assert kept == b'{"breakpoints": [1]}'
    assert notebook.kit_of(RUN) is None


def test_interrupted_turns_are_read_and_deleted(url):
    large = b'["' + b"x" * 100_000 + b'"]'
    with closing(Store(url)) as store:
        interrupt(store, UnfinishedTurn(RUN, TEA, 3, 1.0, b"{}", large))
        interrupt(store, UnfinishedTurn(OTHER, TEA, 0, 2.0, b"{}", b"[1]"))

    with closing(Store(url)) as store:
        everything, one = store.notebook.read_unfinished_turns(), store.notebook.read_unfinished_turns(RUN)
        store.notebook.forget_unfinished(RUN)
        store.notebook.forget_unfinished(RUN)
        left = store.notebook.read_unfinished_turns()

    assert [turn.run_id for turn in everything] == [OTHER, RUN]
    assert one == [UnfinishedTurn(RUN, TEA, 3, 1.0, b"{}", large)]
    assert left == [UnfinishedTurn(OTHER, TEA, 0, 2.0, b"{}", b"[1]")]


def test_imported_notes_are_added_once(notebook):
    notebook.comment(RUN, Target.turn(1), "Ada", "Slow.")
    notebook.rate(RUN, Target(), "Ada", "down")
    notebook.tag(RUN, ["late"])
    notebook.star(RUN)
    notebook.write(RUN, "from afar")
    travelled = notebook.notes(RUN)
    notebook.write(OTHER, "from here")
    notebook.tag(OTHER, ["smoke"])
    with closing(Store("sqlite://")) as elsewhere:
        elsewhere.notebook.take_in(RUN, travelled)
        elsewhere.notebook.take_in(RUN, travelled)
        there = elsewhere.notebook.notes(RUN)

    notebook.take_in(OTHER, RunNotes(note="from afar", tags=["late"]))

    assert there == travelled
    assert notebook.notes(OTHER) == RunNotes(note="from here", tags=["late", "smoke"])


@pytest.mark.parametrize(
    "date",
    ["yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999"],
)
def test_impossible_date_of_import_is_replaced(notebook, date):
    comment = Comment(logical_id="comment_1", target=Target(), author="Ada", content="Slow.", created_at=date)
    rating = Rating(target=Target(), author="Ada", value="up", created_at=date)

    notebook.take_in(RUN, RunNotes(comments=[comment], ratings=[rating]))

    notes = notebook.notes(RUN)
    now = datetime.now(UTC)
    for note in (*notes.comments, *notes.ratings):
        assert timedelta(0) <= now - datetime.fromisoformat(note.created_at) < timedelta(minutes=1)


def test_comment_is_deleted_from_own_target_only(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        kept = store.notebook.comment(RUN, Target.turn(1), "ada", "  Twice  ")
        again = store.notebook.comment(RUN, Target.turn(1), "ada", "Twice")

        assert (kept.content, kept.author, kept.target) == ("Twice", "ada", Target.turn(1))
        assert kept.logical_id != again.logical_id
        with pytest.raises(NotFoundError):
            store.notebook.delete_comment(RUN, kept.logical_id, Target())
        store.notebook.delete_comment(RUN, kept.logical_id, Target.turn(1))
        assert store.notebook.feedback(RUN) == ([again], [])
        assert store.notebook.notes(RUN).comments == [again]
