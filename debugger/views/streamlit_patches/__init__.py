"""Uses of Streamlit's private API, with figures and off switch.

The app runs without all of them. They are off by themselves under a version of Streamlit that they were not
tested with, since what they rely on is documented nowhere.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import streamlit as st

from debugger.views.asgi import Application

SETTING = "WORKFLOW_DEBUGGER_STREAMLIT_PATCHES"
"""``auto`` (default), ``on`` (in an untested version, too), ``off``, or names to switch off, with commas."""
TESTED_VERSIONS = ("1.67",)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patch:
    """One use of the private API."""

    reason: str
    figure: str
    """Measured gain; ``not measured`` where nothing was measured."""
    middleware: str = ""
    """Class in the module of the patch's name that is put before the app."""


PATCHES = {
    "component_assets": Patch(
        "Streamlit sends the script and the style of a component with each drawing of it; "
        "here a browser loads them once.",
        "100 KB less for a click on the debug page (2026-11)",
        "ComponentAssets",
    ),
    "prefetch": Patch(
        "A recorded run is read while the browser still loads the page.", "not measured", "Prefetch"
    ),
    "batch_messages": Patch(
        "A browser draws the page for each part of it that arrives; here the parts of a quick script arrive "
        "together.",
        "not measured alone; choosing an event: 40 ms with it (2026-11-27)",
        "BatchMessages",
    ),
    "dedupe_triggers": Patch(
        "A press is sent twice by a page that polls: a message would be sent twice.",
        "not measured: it corrects",
        "DedupeTriggers",
    ),
    "stale_widgets": Patch(
        "A widget that has just left the page counts as changed when its browser sends it once more: an "
        "edited text would be replaced by the one before.",
        "not measured: it corrects (2 of 271 browser tests on a busy machine, 2026-11-28)",
    ),
    "queued_messages": Patch(
        "A poll that begins before a dialog has been sent removes the dialog from the messages, but not its "
        "content: a browser shows an empty page.",
        "not measured: it corrects (4 of some 50 dialogs where a server sends each 0.4 s, 2026-11-29)",
    ),
    "finished_runs": Patch(
        "A poll that comes in the moment in which a run ends makes Streamlit drop what the run has drawn: "
        "the page still shows what was before.",
        "not measured: it corrects (1 of 295 browser tests on a busy machine, 2026-12-02)",
    ),
    "session_files": Patch(
        "A file of a small export, an upload and a session are for all who know the address or the id; here "
        "they are for the browser and the user that started the session.",
        "not measured: it protects",
        "SessionFiles",
    ),
    "deferred_files": Patch(
        "A file that a press of Download makes is deleted after two more script runs, of any page, and what "
        "makes it after one: a browser that presses or fetches a moment later finds nothing, and cancels the "
        "download.",
        "not measured: it corrects (a browser test on a busy machine, 2026-11-30)",
    ),
    "fragment_ids": Patch(
        "Streamlit does not say which fragments a run draws. Without it, more runs draw the whole page.",
        "not measured",
    ),
    "sign_out": Patch(
        "An open page is sent to the login when its login ends. Without it, the page only disconnects.",
        "not measured: it informs",
    ),
    "login": Patch(
        "The gate before the page reads Streamlit's login cookie. Without it, a page with [auth] does not "
        "start.",
        "not measured: a login by an identity provider needs it",
    ),
}
"""By name, in the order of the middleware from the outermost."""


@cache
def enabled_patches() -> frozenset[str]:
    """Return the names of the patches in use.

    The setting and the version of Streamlit decide.
    """
    setting = os.environ.get(SETTING, "").strip().lower() or "auto"
    if setting == "off":
        return frozenset()
    if setting == "on":
        return frozenset(PATCHES)
    if ".".join(st.__version__.split(".")[:2]) not in TESTED_VERSIONS:
        _log.warning(
            "The patches of Streamlit are off: they were tested with %s, not with %s. Set %s=on to use them.",
            ", ".join(TESTED_VERSIONS),
            st.__version__,
            SETTING,
        )
        return frozenset()
    names = set() if setting == "auto" else {name.strip() for name in setting.split(",")}
    if unknown := sorted(names - set(PATCHES)):
        _log.warning("%s has no patch %s; it has %s.", SETTING, ", ".join(unknown), ", ".join(PATCHES))
    return frozenset(PATCHES) - names


def is_enabled(name: str) -> bool:
    """Return whether a patch is in use.

    Raises:
        KeyError: There is no such patch.
    """
    return PATCHES[name] is not None and name in enabled_patches()


def middleware() -> list[Callable[[Application], Application]]:
    """Return the middleware of the patches in use, the outermost first; their modules are imported."""
    return [
        getattr(import_module(f"{__name__}.{name}"), patch.middleware)
        for name, patch in PATCHES.items()
        if patch.middleware and is_enabled(name)
    ]


def fragment_ids() -> list[str] | None:
    """Return the fragments that this run draws.

    None of them for the whole page; ``None`` while the patch is off.
    """
    if not is_enabled("fragment_ids"):
        return None
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return (context.fragment_ids_this_run if context else None) or []


def redirect_message(url: str) -> bytes | None:
    """Return the frame that sends a browser to an address.

    ``None`` while the patch is off.
    """
    if not is_enabled("sign_out"):
        return None
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    message = ForwardMsg()
    message.auth_redirect.url = url
    frame: bytes = message.SerializeToString()
    return frame
