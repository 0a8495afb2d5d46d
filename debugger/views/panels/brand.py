"""The app's mark, drawn here so that no page asks another server for a picture."""

from __future__ import annotations

MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" fill="none" '
    'stroke="#3b82f6" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
    '<rect x="3" y="3" width="7" height="5" rx="1.5"/><rect x="14" y="16" width="7" height="5" rx="1.5"/>'
    '<path d="M6.5 8v3.5a2 2 0 0 0 2 2h7a2 2 0 0 1 2 2V16"/>'
    '<circle cx="6.5" cy="18.5" r="2.5" fill="#3b82f6"/><path d="M6.5 13.5V16"/></svg>'
)
