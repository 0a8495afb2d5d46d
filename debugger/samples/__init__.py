"""Sample workflows and scenarios of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Sample:
    """A workflow in one or more versions, with its script if any.

    The script answers for the workflow's models.
    """

    name: str
    versions: tuple[str, ...]
    """The files of its documents, oldest first."""
    script: str | None = None
    """The file of its script."""

    def load_documents(self) -> list[dict[str, Any]]:
        """Read the sample's workflow documents, oldest version first."""
        return [json.loads(_read(version)) for version in self.versions]

    def script_text(self) -> str | None:
        """Return the text of the script."""
        return None if self.script is None else _read(self.script)


SAMPLES: tuple[Sample, ...] = (
    Sample("Tea welcome", ("tea_welcome.json",)),
    Sample("City services", ("city_services.json",)),
    Sample("Lab results line", ("lab_results.json",), "lab_results.script.yaml"),
    Sample(
        "Clinic front desk",
        ("clinic_front_desk.v1.json", "clinic_front_desk.json"),
        "clinic_front_desk.script.yaml",
    ),
)
"""Every sample; the last is the one to show first, for a list of workflows has the newest on top."""


def script_for(logical_id: str) -> str | None:
    """Return the script of a sample by its logical id, or ``None``."""
    for sample in SAMPLES:
        if sample.script is not None and any(
            _logical_id(one) == logical_id for one in sample.load_documents()
        ):
            return sample.script_text()
    return None


def sample_scenarios() -> dict[str, str]:
    """Return the texts of the sample scenarios by the names of their files."""
    folder = files(__name__).joinpath("scenarios")
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def _logical_id(document: dict[str, Any]) -> Any:
    return document["workflow_config"]["logical_id"]


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
