from __future__ import annotations

from debugger.store import back_up, restore
from debugger.store.backup_rows import ROWS_PER_REPORT
from debugger.telemetry.progress import follow_progress, report_progress
from tests.cli.test_maintenance import keep


def test_backup_and_restore_report_rows(tmp_path):
    source, copy, file = f"sqlite:///{tmp_path}/a", f"sqlite:///{tmp_path}/b", tmp_path / "backup"
    keep(source, *[1] * (ROWS_PER_REPORT + 20))
    reported = []

    with follow_progress(lambda *report: reported.append(report)):
        back_up(source, file)
        restore(copy, file)

    steps = [step for step, _, _ in reported]
    assert ("Writing runs", ROWS_PER_REPORT, None) in reported
    assert steps.index("Writing runs") < steps.index("Reading bytes")
    size = file.stat().st_size
    assert all(0 < done <= total == size for step, done, total in reported if step == "Reading bytes")


def test_report_without_follower_is_ignored():
    reported = []
    with follow_progress(lambda *report: reported.append(report)):
        report_progress("within", 1)
    report_progress("after", 2)

    assert reported == [("within", 1, None)]
