from __future__ import annotations

from tests.views.bars import badges, control, keys, use
from tests.views.row_lists import column


def test_page_shows_each_weight_in_forms_and_bars(view):
    app = view("style").run()

    assert not app.exception
    weights = {"primary", "secondary", "tertiary"}
    assert {f"style_{each}" for each in weights} | {f"style_bar_{each}" for each in weights} <= keys(app)
    assert control(app, "style_bar_primary_disabled").disabled
    assert column(app, "name", "Rows of a table") == [
        "Clinic front desk",
        "Tea welcome",
        "Lab results",
        "Order desk",
    ]
    assert badges(app)[-7:] == ["Red", "Orange", "Yellow", "Blue", "Green", "Violet", "Gray"]


def test_controls_of_page_change_nothing_else(view):
    app = view("style").run()

    use(app, "style_bar_switch", "Two")
    use(app, "style_bar_primary")

    assert not app.exception
    assert control(app, "style_bar_switch").value == "Two"
