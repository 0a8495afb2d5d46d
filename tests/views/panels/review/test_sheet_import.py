from __future__ import annotations

from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from tests.views.bars import use
from tests.views.row_lists import choose, drawn, send


def upload(app, *lines):
    use(app, "review_import")
    app.file_uploader[0].upload("reviewed.csv", "\n".join(lines).encode()).run()
    assert not app.exception


def ticks(app):
    """The ticks of the conflicts, in order."""
    return [row["cells"][0][1] for row in drawn(app, "Conflicts")["rows"]]


def test_ticks_are_not_kept_for_other_conflicts(app, backend, talk):
    first, second = talk("Hello"), talk("Hello")
    given = Verdict(run_id=second, target=Target(), value="pass", reviewer="me")
    backend.store.reviews.set_verdict(given)
    app.run()
    upload(app, "run_id,run_verdict", f"{first},fail", f"{second},fail")
    choose(app, [0], "Conflicts")
    before = ticks(app)
    backend.store.reviews.set_verdict(given.model_copy(update={"run_id": first}))

    app.button("review_import_now").click().run()

    assert "nothing was stored" in app.error[0].value.replace("\\", "")
    assert (before, ticks(app)) == ([True], [False, False])


def test_conflicts_that_are_not_listed_are_counted(app, backend, talk, monkeypatch):
    monkeypatch.setattr("debugger.views.panels.review.sheet_import._MAX_LISTED", 1)
    ids = [talk("Hello"), talk("Hello")]
    for run_id in ids:
        given = Verdict(run_id=run_id, target=Target(), value="pass", reviewer="me")
        backend.store.reviews.set_verdict(given)
    app.run()

    upload(app, "run_id,run_verdict,turn,verdict", *(f"{run_id},fail,99,fail" for run_id in ids))

    assert len(ticks(app)) == 1
    assert [each.value for each in app.caption].count("The first 1 of 2") == 2


def test_conflicts_are_ticked_together_and_one_by_one(app, backend, talk):
    ids = [talk("Hello") for _ in range(3)]
    for run_id in ids:
        given = Verdict(run_id=run_id, target=Target(), value="pass", reviewer="me")
        backend.store.reviews.set_verdict(given)
    app.run()
    upload(app, "run_id,run_verdict", *(f"{run_id},fail" for run_id in ids))

    send(app, "Conflicts", "used", [[[0], [2], [9], "1", None], "agreed", None])
    together = ticks(app)
    choose(app, [2], "Conflicts")
    choose(app, [], "Conflicts")

    assert together == [True, False, True]
    assert ticks(app) == [True, False, False]
    app.button("review_import_now").click().run()
    found = backend.store.reviews.verdicts(ids)
    assert [found[run_id][0].value for run_id in ids] == ["fail", "pass", "pass"]
