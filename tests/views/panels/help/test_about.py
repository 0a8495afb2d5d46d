from __future__ import annotations

from email.message import Message

from debugger.settings import Settings
from debugger.views.panels.help.about import facts_table, licence_of, licences_table


class Package:
    """A package with the fields of its metadata."""

    def __init__(self, **fields):
        self.metadata = Message()
        for name, values in fields.items():
            for value in [values] if isinstance(values, str) else values:
                self.metadata.add_header(name.replace("_", "-"), value)


def test_licence_prefers_the_expression():
    assert licence_of(Package(License_Expression="MIT", License="The whole text")) == "MIT"


def test_licence_of_classifiers_and_long_texts():
    osi = "License :: OSI Approved :: BSD License"

    assert licence_of(Package(Classifier=["Typing :: Typed", osi], License="x" * 900)) == "BSD License"
    assert licence_of(Package(License="Apache-2.0")) == "Apache-2.0"
    assert licence_of(Package(License="x" * 900)) == "see its files"
    assert licence_of(Package()) == "see its files"


def test_licences_name_direct_and_indirect_dependencies():
    rows = licences_table().splitlines()

    names = {row.split("|")[1].strip() for row in rows[2:]}
    assert {"streamlit", "pydantic", "pydantic_core", "SQLAlchemy"} <= names
    assert "pytest" not in names
    assert "workflow-debugger" not in names


def test_facts_name_folders_and_database():
    facts = facts_table(Settings(scripts="/srv/scripts", database="postgresql://ada:secret@db/runs"))

    assert "| Scripts | `/srv/scripts` |" in facts
    assert "| Database | PostgreSQL |" in facts
    assert "secret" not in facts
