"""Pictures of workflows as files: SVG, PNG, PDF, DOT and Mermaid, with or without the path of a run.

A picture is made in three steps: `RunMarks` say what a run has done at each node and edge, `Drawing` holds
what is drawn with all its texts released, and `make_picture` writes it in a format. The layout is that of
Graphviz, as on the page (``docs/decisions/layout.md``).
"""
