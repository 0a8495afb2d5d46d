from __future__ import annotations

from tests.campaigns.__main__ import count_outcomes, main, run_file

FILE = """
import pytest

def test_no_campaign():
    assert False

@pytest.mark.campaign
@pytest.mark.parametrize("number", range(4))
def test_campaign(number):
    if number == 3:
        pytest.skip("not here")
    assert number != 1
"""


def test_campaigns_of_a_file_are_counted(tmp_path, capsys):
    (tmp_path / "test_tea.py").write_text(FILE)

    result = run_file(str(tmp_path / "test_tea.py"), 0)

    assert (result.passed, result.failed, result.skipped) == (2, 1, 1)
    assert "test_campaign[1]" in capsys.readouterr().err


def test_table_has_a_row_for_each_file_with_campaigns(tmp_path, capsys):
    (tmp_path / "test_tea.py").write_text(FILE)
    (tmp_path / "test_coffee.py").write_text("def test_no_campaign():\n    assert False\n")

    status = main([str(tmp_path), "--workers", "0", "--table", str(tmp_path / "table.md")])

    rows = (tmp_path / "table.md").read_text().splitlines()
    assert status == 1
    assert len(rows) == 3
    assert "test_tea.py | 2 | 1 | 1 |" in rows[2]
    assert capsys.readouterr().out.splitlines() == rows


def test_error_of_a_fixture_is_a_failure(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text("<testsuites><testsuite><testcase><error/></testcase></testsuite></testsuites>")

    assert count_outcomes(report) == {"passed": 0, "failed": 1, "skipped": 0}
