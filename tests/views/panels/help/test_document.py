from __future__ import annotations

from debugger.views.panels.help.document import to_html


def test_headings_have_anchors_and_take_focus():
    html = to_html("# A title\n\n## A `code` part\n", "guide")

    assert '<h1 id="a-title" tabindex="-1">A title</h1>' in html
    assert '<h2 id="a-code-part" tabindex="-1">' in html


def test_links_stay_in_the_help_or_open_a_tab():
    html = to_html(
        "[a](settings.md#connections) [b](#checks) [c](https://example.com/) [d](no_topic.md)", "guide"
    )

    assert 'href="help?topic=settings&amp;at=connections"' in html
    assert 'href="help?topic=guide&amp;at=checks"' in html
    assert '<a href="https://example.com/" target="_blank" rel="noopener noreferrer">' in html
    assert 'href="no_topic.md" target="_blank"' in html


def test_html_and_scripts_stay_text():
    html = to_html("<img src=x onerror=alert(1)> [x](javascript:alert(1))", "guide")

    assert "<img" not in html
    assert "&lt;img" in html
    assert 'href="javascript' not in html


def test_pictures_are_part_of_the_document():
    html = to_html("![The page](pictures/debug.webp)", "first_run")

    assert '<img src="data:image/webp;base64,' in html
    assert 'alt="The page"' in html
