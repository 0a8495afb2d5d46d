from __future__ import annotations

from debugger.protocol.notes import Comment, Rating, RunNotes, Target

NOON = "2026-07-01T12:00:00.000Z"


def test_remarks_are_told_apart_by_what_they_are_about():
    on_turn = Comment(
        logical_id="comment_1", target=Target.turn(1), author="Ada", content="Slow.", created_at=NOON
    )
    on_event = Comment(
        logical_id="comment_2", target=Target.event("1"), author="Ada", content="Wrong.", created_at=NOON
    )
    rating = Rating(target=Target.turn(1), author="Ben", value="down", created_at=NOON)

    notes = RunNotes(comments=[on_turn, on_event], ratings=[rating])

    assert notes.comments_on(Target.turn(1)) == [on_turn]
    assert notes.comments_on(Target.event("1")) == [on_event]
    assert notes.comments_on(Target()) == []
    assert notes.ratings_of(Target.turn(1)) == {"Ben": "down"}
    assert notes.ratings_of(Target.event("1")) == {}
