"""What an author writes on a node for Google Docs (``platform/engine.md`` 2.12)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from debugger.protocol.base import WireModel
from debugger.protocol.workflow import NodeConfig


class OAuth2Credentials(WireModel):
    """Of an application."""

    type: Literal["google_workspace_oauth2"]
    oauth_redirect_uri: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None


class ServiceAccountCredentials(WireModel):
    """Of a service account, which may act for a person."""

    type: Literal["google_workspace_service_account"]
    service_account_email: str | None = None
    private_key_id: SecretStr | None = None
    private_key: SecretStr | None = None
    impersonation_email: str | None = None


class ApiKeyCredentials(WireModel):
    """A bare key."""

    type: Literal["google_workspace_api_key"]
    api_key: SecretStr | None = None


class CreateDocumentConfig(WireModel):
    """A new document, and where it goes."""

    type: Literal["google_docs_create_document"]
    title: str | None = None
    drive_name_or_id: str | None = None
    folder_name_or_id: str | None = None


class GetDocumentConfig(WireModel):
    """A document to read."""

    type: Literal["google_docs_get_document"]
    document_id_or_url: str | None = None
    return_full_model: bool = False


class TextUpdateConfig(WireModel):
    """A text to put into a document."""

    type: Literal["google_docs_update_with_text"]
    content: str | None = None
    insert_index: int | None = Field(default=None, ge=0)
    """Where, as Google counts: 1 is the beginning. ``None`` is the end."""


class UpdateDocumentConfig(WireModel):
    """A document to change."""

    type: Literal["google_docs_update_document"]
    document_id_or_url: str | None = None
    updates: TextUpdateConfig


class GoogleDocsConfig(NodeConfig):
    """Who asks, and for what."""

    credentials: (
        Annotated[
            OAuth2Credentials | ServiceAccountCredentials | ApiKeyCredentials, Field(discriminator="type")
        ]
        | None
    ) = Field(default=None, repr=False)
    operate_document: Annotated[
        CreateDocumentConfig | GetDocumentConfig | UpdateDocumentConfig, Field(discriminator="type")
    ]
