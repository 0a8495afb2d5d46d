"""The export dialog of every page."""

from debugger.views.panels.exports.dialog import export_dialog, open_export_dialog
from debugger.views.panels.exports.scope import ExportScope

__all__ = ["ExportScope", "export_dialog", "open_export_dialog"]
