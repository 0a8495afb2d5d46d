from __future__ import annotations

from debugger.views.components.graph.figures import Figure, figures


def test_figures_are_on_their_nodes_and_edges():
    marks = figures(["a", "b"], {"a": Figure("4 of 5 · 80%", 0.80004)}, {"e": Figure("51%", 0.5)})

    assert marks["nodes"]["a"] == {
        "state": "common",
        "visits": 0,
        "order": "",
        "note": "",
        "figure": "4 of 5 · 80%",
        "heat": 0.8,
    }
    assert marks["nodes"]["b"]["state"] == "unreached"
    assert "figure" not in marks["nodes"]["b"]
    assert marks["edges"] == {"e": {"state": "", "order": "", "figure": "51%", "heat": 0.5}}
