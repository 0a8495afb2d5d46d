"""Fragments that a run of the script draws."""

from __future__ import annotations

from debugger.views.streamlit_patches import is_enabled


def fragment_ids() -> list[str] | None:
    """Return the fragments that this run draws.

    None of them for the whole page; ``None`` while the patch is off.
    """
    if not is_enabled("fragment_ids"):
        return None
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return (context.fragment_ids_this_run if context else None) or []
