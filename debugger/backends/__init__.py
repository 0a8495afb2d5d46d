"""Backends: the embedded engine and the hosted API."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from debugger.backends.embedded import EmbeddedBackend
from debugger.samples import SAMPLES
from debugger.settings import Settings

logger = logging.getLogger(__name__)


def open_embedded(
    settings: Settings,
    *,
    environment: Mapping[str, str] | None = None,
    python_consent_key: bytes | None = None,
) -> EmbeddedBackend:
    """Return the embedded backend on the settings' database.

    An empty database gets the sample workflows. Deleted runs that cannot be restored any more go for good.

    Args:
        settings: The settings.
        environment: Holds secrets for calls to the outside.
        python_consent_key: See `EmbeddedBackend`.

    Raises:
        StoreError: The database cannot be opened.
    """
    backend = EmbeddedBackend(settings, environment=environment, python_consent_key=python_consent_key)
    # Another process may be about to do the same.
    if backend.store.is_empty() and backend.store.claim_first_use():
        _load_samples(backend)
    if count := backend.store.hidden.prune(settings.keep_deleted_days):
        logger.info(
            "Deleted %d runs that users had deleted over %g days ago.", count, settings.keep_deleted_days
        )
    return backend


def _load_samples(backend: EmbeddedBackend) -> None:
    """Store each sample as a workflow with its versions; the last version is active."""
    for sample in SAMPLES:
        first, *later = sample.load_documents()
        workflow = backend.create_workflow(first, name=sample.name)
        for document in later:
            backend.store.create_version(workflow.id, document=document, mark_as_active=True)
