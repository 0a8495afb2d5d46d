from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from debugger.errors import EditConflictError, InputError, NotFoundError
from debugger.protocol.notes import Comment, Rating, RunLabels, RunNotes, Target
from debugger.store import Store, UnfinishedTurn
from debugger.store.edited_tables import NEVER_WRITTEN
from tests.store.interrupted import interrupt

RUN = "665f0c2b9a3e4d5f6a7b8c90"
OTHER = "665f0c2b9a3e4d5f6a7b8c91"
TEA = "665f00000000000000000001"


def test_a_run_without_notes_has_empty_ones(repository):
    assert repository.of(RUN) == RunNotes()
    assert repository.marks([RUN]) == {}


def test_star_tags_and_note_are_independent(repository):
    repository.write(RUN, "asks twice", expected=NEVER_WRITTEN)
    repository.star(RUN)
    repository.change_tags([RUN], ["smoke", " late  shift ", "smoke", " "])
    repository.change_tags([OTHER], ["smoke"])

    assert repository.marks([RUN, OTHER]) == {
        RUN: RunLabels(starred=True, tags=["late shift", "smoke"], note="asks twice"),
        OTHER: RunLabels(tags=["smoke"]),
    }
    assert repository.tags() == ["smoke", "late shift"]


def test_what_was_noted_can_be_taken_back(repository):
    repository.star(RUN)
    repository.change_tags([RUN], ["smoke"])
    repository.write(RUN, "asks twice", expected=NEVER_WRITTEN)

    repository.star(RUN, starred=False)
    repository.change_tags([RUN], [], ["smoke"])
    repository.write(RUN, "", expected=repository.note(RUN).revision)

    assert repository.of(RUN) == RunNotes()


def test_marks_of_very_many_runs_are_read(repository):
    repository.star(OTHER)
    repository.change_tags([RUN], ["late"])
    ids = [RUN, *(f"{number:024x}" for number in range(66_000)), OTHER]

    found = repository.marks(ids)

    assert found == {RUN: RunLabels(tags=["late"]), OTHER: RunLabels(starred=True)}


def test_a_tag_that_is_a_novel_is_refused(repository):
    repository.change_tags([RUN], ["smoke"])

    with pytest.raises(InputError, match="51 characters"):
        repository.change_tags([RUN], ["x" * 51])

    assert repository.of(RUN).tags == ["smoke"]


def test_changed_tags_leave_the_others(repository):
    repository.change_tags([RUN], ["smoke", "theirs", "wrong"])

    repository.change_tags([RUN, OTHER], [" late  shift ", "smoke", "wrong"], ["wrong", "gone"])

    assert repository.of(RUN).tags == ["late shift", "smoke", "theirs"]
    assert repository.of(OTHER).tags == ["late shift", "smoke"]


def test_changed_tags_are_stored_together(repository):
    repository.change_tags([RUN], ["smoke"])

    with pytest.raises(InputError, match="51 characters"):
        repository.change_tags([RUN], ["x" * 51], ["smoke"])

    assert repository.of(RUN).tags == ["smoke"]


def test_tags_of_very_many_runs_are_changed(repository):
    ids = [f"{number:024x}" for number in range(1_200)]

    repository.change_tags(ids, ["smoke", "late"], [])
    repository.change_tags(ids, [], ["late"])

    assert repository.marks(ids) == {run_id: RunLabels(tags=["smoke"]) for run_id in ids}


def test_note_of_another_user_is_not_overwritten(repository):
    repository.write(RUN, "theirs", expected=NEVER_WRITTEN)

    with pytest.raises(EditConflictError, match="changed meanwhile; nothing was stored"):
        repository.write(RUN, "mine", expected=0)

    assert repository.of(RUN).note == "theirs"


def test_note_replaces_what_was_seen(repository):
    seen = repository.write(RUN, "theirs", expected=NEVER_WRITTEN)

    revision = repository.write(RUN, "mine", by="Ada", expected=seen)

    assert repository.note(RUN)[:3] == ("mine", revision, "Ada")


def test_star_is_no_change_of_the_note(repository):
    repository.star(RUN)
    first = repository.write(RUN, "mine", expected=repository.note(RUN).revision)
    repository.star(RUN, starred=False)

    repository.write(RUN, "mine, too", expected=first)

    assert repository.of(RUN) == RunNotes(note="mine, too")


def test_comments_target_run_turn_or_event(repository):
    repository.comment(RUN, Target(), "Ada", " All in all fine. ")
    repository.comment(RUN, Target.turn(2), "Ben", "Too slow.")
    repository.comment(RUN, Target.event("event_2f"), "Ada", "Wrong edge.")
    repository.comment(OTHER, Target(), "Ada", "Elsewhere.")

    notes = repository.of(RUN)

    assert [comment.content for comment in notes.comments_on(Target())] == ["All in all fine."]
    assert [comment.author for comment in notes.comments_on(Target.turn(2))] == ["Ben"]
    assert [comment.content for comment in notes.comments_on(Target.event("event_2f"))] == ["Wrong edge."]
    assert len(notes.comments) == 3


def test_a_comment_is_deleted_once(repository):
    repository.comment(RUN, Target(), "Ada", "Fine.")
    [comment] = repository.of(RUN).comments

    repository.delete_comment(RUN, comment.logical_id)

    assert repository.of(RUN).comments == []
    with pytest.raises(NotFoundError):
        repository.delete_comment(RUN, comment.logical_id)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 5_001])
def test_blank_or_long_comment_is_rejected(repository, text):
    with pytest.raises(InputError):
        repository.comment(RUN, Target(), "Ada", text)

    assert repository.of(RUN).comments == []


def test_an_author_has_one_rating_of_each_thing(repository):
    repository.rate(RUN, Target.turn(1), "Ada", "down")
    repository.rate(RUN, Target.turn(1), "Ben", "up")
    repository.rate(RUN, Target.turn(1), "Ada", "strong_up")
    repository.rate(RUN, Target(), "Ada", "up")
    repository.rate(RUN, Target(), "Ada", None)

    notes = repository.of(RUN)

    assert notes.ratings_of(Target.turn(1)) == {"Ada": "strong_up", "Ben": "up"}
    assert notes.ratings_of(Target()) == {}


def test_preset_has_no_secrets_of_nodes(repository):
    inputs = [{"messages": [], "secret_variables": {"key": "hush"}}, "odd"]
    given = {"thread_to_node_inputs": {"0": {"node_run_inputs": inputs}, "1": None}}

    repository.keep_preset(TEA, "Known caller", given, expected=NEVER_WRITTEN)

    (preset,) = repository.presets(TEA)
    assert preset.run_input == {
        "thread_to_node_inputs": {"0": {"node_run_inputs": [{"messages": []}, "odd"]}, "1": None}
    }


def test_presets_are_kept_by_workflow_and_name(repository):
    given = {"dynamic_variables": {"name": "Ada", "big": 2**64}, "secret_variables": {"key": "hush"}}
    repository.keep_preset(TEA, "  Known  caller ", given, expected=NEVER_WRITTEN)
    first = repository.keep_preset(TEA, "anonymous", {}, expected=NEVER_WRITTEN)
    repository.keep_preset("665f00000000000000000002", "Elsewhere", {}, expected=NEVER_WRITTEN)
    repository.keep_preset(TEA, "anonymous", {"run_by": "qa"}, expected=first.revision)

    found = repository.presets(TEA)

    assert [(preset.name, preset.run_input) for preset in found] == [
        ("anonymous", {"run_by": "qa"}),
        ("Known caller", {"dynamic_variables": {"name": "Ada", "big": 2**64}}),
    ]


def test_a_preset_needs_a_name(repository):
    with pytest.raises(InputError, match="1 to 80"):
        repository.keep_preset(TEA, "  ", {}, expected=NEVER_WRITTEN)


def test_a_preset_is_deleted_once(repository):
    kept = repository.keep_preset(TEA, "anonymous", {}, expected=NEVER_WRITTEN)

    repository.delete_preset(TEA, "anonymous", expected=kept.revision)

    assert repository.presets(TEA) == []
    with pytest.raises(NotFoundError, match="anonymous"):
        repository.delete_preset(TEA, "anonymous", expected=kept.revision)


def test_debug_setup_is_replaced(repository):
    assert repository.debug_setup_of(RUN) is None

    repository.keep_debug_setup(RUN, b'{"breakpoints": []}')
    repository.keep_debug_setup(RUN, b'{"breakpoints": [1]}')
    kept = repository.debug_setup_of(RUN)
    repository.keep_debug_setup(RUN, None)

    assert kept == b'{"breakpoints": [1]}'
    assert repository.debug_setup_of(RUN) is None


def test_interrupted_turns_are_read_and_deleted(url):
    large = b'["' + b"x" * 100_000 + b'"]'
    with closing(Store(url)) as store:
        interrupt(store, UnfinishedTurn(RUN, TEA, 3, 1.0, b"{}", large, "claim_1"))
        interrupt(
            store, UnfinishedTurn(OTHER, TEA, 0, 2.0, b"{}", b"[1]", "claim_2", "c2", b'[{"how": "live"}]')
        )

    with closing(Store(url)) as store:
        everything, one = store.notes.read_unfinished_turns(), store.notes.read_unfinished_turns(RUN)
        named = store.notes.find_unfinished("c2"), store.notes.find_unfinished("c1")
        store.notes.forget_unfinished("claim_1")
        store.notes.forget_unfinished("claim_1")
        left = store.notes.read_unfinished_turns()

    assert [turn.run_id for turn in everything] == [OTHER, RUN]
    assert one == [UnfinishedTurn(RUN, TEA, 3, 1.0, b"{}", large, "claim_1")]
    assert left == [everything[0]] == [named[0]]
    assert (left[0].calls, one[0].calls, named[1]) == ([{"how": "live"}], [], None)


def test_imported_notes_are_added_once(repository):
    repository.comment(RUN, Target.turn(1), "Ada", "Slow.")
    repository.rate(RUN, Target(), "Ada", "down")
    repository.change_tags([RUN], ["late"])
    repository.star(RUN)
    repository.write(RUN, "from afar", expected=NEVER_WRITTEN)
    travelled = repository.of(RUN)
    repository.write(OTHER, "from here", expected=NEVER_WRITTEN)
    repository.change_tags([OTHER], ["smoke"])
    with closing(Store("sqlite://")) as elsewhere:
        elsewhere.notes.add_imported(RUN, travelled)
        elsewhere.notes.add_imported(RUN, travelled)
        there = elsewhere.notes.of(RUN)

    repository.add_imported(OTHER, RunNotes(note="from afar", tags=["late"]))

    assert there == travelled
    assert repository.of(OTHER) == RunNotes(note="from here", tags=["late", "smoke"])


@pytest.mark.parametrize(
    "date",
    ["yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999"],
)
def test_impossible_date_of_import_is_replaced(repository, date):
    comment = Comment(logical_id="comment_1", target=Target(), author="Ada", content="Slow.", created_at=date)
    rating = Rating(target=Target(), author="Ada", value="up", created_at=date)

    repository.add_imported(RUN, RunNotes(comments=[comment], ratings=[rating]))

    notes = repository.of(RUN)
    now = datetime.now(UTC)
    for note in (*notes.comments, *notes.ratings):
        assert timedelta(0) <= now - datetime.fromisoformat(note.created_at) < timedelta(minutes=1)


def test_comment_is_deleted_from_own_target_only(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        kept = store.notes.comment(RUN, Target.turn(1), "ada", "  Twice  ")
        again = store.notes.comment(RUN, Target.turn(1), "ada", "Twice")

        assert (kept.content, kept.author, kept.target) == ("Twice", "ada", Target.turn(1))
        assert kept.logical_id != again.logical_id
        with pytest.raises(NotFoundError):
            store.notes.delete_comment(RUN, kept.logical_id, Target())
        store.notes.delete_comment(RUN, kept.logical_id, Target.turn(1))
        assert store.notes.feedback(RUN) == ([again], [])
        assert store.notes.of(RUN).comments == [again]
