from __future__ import annotations

from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from tests.views.bars import use


def upload(app, *lines):
    use(app, "review_import")
    app.file_uploader[0].upload("reviewed.csv", "\n".join(lines).encode()).run()
    assert not app.exception


def conflicts(app):
    return next(each for each in app.dataframe if each.proto.alt.startswith("Conflicts"))


def test_ticks_are_not_kept_for_other_conflicts(app, backend, talk):
    first, second = talk("Hello"), talk("Hello")
    given = Verdict(run_id=second, target=Target(), value="pass", reviewer="me")
    backend.store.reviews.set_verdict(given)
    app.run()
    upload(app, "run_id,run_verdict", f"{first},fail", f"{second},fail")
    before = conflicts(app)
    backend.store.reviews.set_verdict(given.model_copy(update={"run_id": first}))

    app.button("review_import_now").click().run()

    assert "nothing was stored" in app.error[0].value.replace("\\", "")
    assert (len(before.value), len(conflicts(app).value)) == (1, 2)
    # By its id the browser knows the table again, with its ticks.
    assert conflicts(app).proto.id != before.proto.id


def test_conflicts_that_are_not_listed_are_counted(app, backend, talk, monkeypatch):
    monkeypatch.setattr("debugger.views.panels.review.sheet_import._MAX_LISTED", 1)
    ids = [talk("Hello"), talk("Hello")]
    for run_id in ids:
        given = Verdict(run_id=run_id, target=Target(), value="pass", reviewer="me")
        backend.store.reviews.set_verdict(given)
    app.run()

    upload(app, "run_id,run_verdict,turn,verdict", *(f"{run_id},fail,99,fail" for run_id in ids))

    assert len(conflicts(app).value) == 1
    assert [each.value for each in app.caption].count("The first 1 of 2") == 2
