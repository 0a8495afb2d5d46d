"""Names of exported files, distinct by workflow, scope and time."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

_MAX_PART = 40


def export_file_name(
    workflow_names: list[str], scope: str, content: str, moment: datetime, extension: str, *, is_masked: bool
) -> str:
    """Return a name such as ``clinic-26-runs-message-qa-review-20261128T031205Z.csv``.

    Args:
        workflow_names: The workflows of the runs; several are not named.
        scope: The runs, as ``26 runs`` or ``run 6b0a``.
        content: Shape and preset.
        moment: When it is made, in UTC.
        extension: With its dot.
        is_masked: Whether personal data is masked; a file with it says ``unmasked``.
    """
    workflow = workflow_names[0] if len(set(workflow_names)) == 1 else "workflows"
    parts = [workflow, scope, content, "" if is_masked else "unmasked", f"{moment:%Y%m%dT%H%M%SZ}"]
    return "-".join(filter(None, map(plain_name, parts[:-1]))) + f"-{parts[-1]}{extension}"


def plain_name(text: str) -> str:
    """Return a text of lower-case letters, digits and dashes alone."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:_MAX_PART].strip("-")
