from __future__ import annotations

import pytest

from debugger.engine.outbound.destinations import AllowedHost, Destination, read_allowed_hosts


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://good.example/x?y#z", "https://good.example"),
        ("HTTPS://GOOD.example:443", "https://good.example"),
        ("http://good.example:443/", "http://good.example:443"),
        ("https://ann:pw@good.example:8443/", "https://good.example:8443"),
        ("https://good.example@evil.example/", "https://evil.example"),
        ("https://good.example\\@evil.example/", "https://evil.example"),
        ("https://good\u3002example/", "https://good.example"),
        ("https://ex\u00e4mple.org/", "https://xn--exmple-cua.org"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://good.example/{path}/{{x}}/[[y]]", "https://good.example"),
        ("https://{{user}}@good.example/", "https://good.example"),
    ],
)
def test_destination_is_where_the_client_connects(url, masked):
    assert str(Destination.of(url)) == masked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "//good.example/",
        "https:///good.example",
        "ftp://good.example/",
        "https://good%2eexample/",
        "https://{{host}}/",
        "https://{{host}}.example/",
        "https://[[host]]/",
        "https://{host}/",
        "https://good.example:{port}/",
        "https://good.example:99999/",
        "https://good.example:0/",
        "https://good.example\t.evil.example/",
        "https://good.example{{ x | append: '/' }}/",
        "https://***.example/",
    ],
)
def test_url_without_host_has_no_destination(url):
    assert Destination.of(url) is None


@pytest.mark.parametrize(
    ("other", "covered"),
    [
        ("http://good.example/other", True),
        ("https://good.example/", True),
        ("https://good.example:80/", False),
        ("http://good.example:81/", False),
        ("http://www.good.example/", False),
        ("http://good.example./", False),
    ],
)
def test_destination_covers_itself_and_itself_over_tls(other, covered):
    assert Destination.of("http://good.example/").covers(Destination.of(other)) is covered


def test_plain_text_does_not_follow_tls():
    assert not Destination.of("https://good.example/").covers(Destination.of("http://good.example/"))


def test_other_host_header_is_another_destination():
    here, same, other = (
        Destination.of("https://good.example:8443/", host)
        for host in ("", "GOOD.example:8443", "evil.example")
    )

    assert here == same
    assert not here.covers(other)
    assert other.named_host == "evil.example"


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        ("good.example", "https://good.example/", "http://good.example/"),
        ("good.example", "https://good.example:443/", "https://good.example:8443/"),
        ("good.example:8443", "https://good.example:8443/", "https://good.example/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/", "https://127.0.0.1:8000/"),
        ("http://good.example", "https://good.example/", "http://good.example:8000/"),
        ("*.good.example", "https://a.b.good.example/", "https://good.example/"),
        ("*.good.example", "https://a.good.example/", "https://agood.example/"),
        ("[::1]:8443", "https://[::1]:8443/", "https://[::2]:8443/"),
        ("ex\u00e4mple.org", "https://xn--exmple-cua.org/", "https://example.org/"),
    ],
)
def test_allowed_host_has_one_scheme_and_port(entry, allowed, refused):
    host = AllowedHost.read(entry)

    assert host.allows(Destination.of(allowed))
    assert not host.allows(Destination.of(refused))


def test_allowed_host_rejects_another_named_host():
    host = AllowedHost.read("*.good.example")

    assert host.allows(Destination.of("https://a.good.example/", "b.good.example"))
    assert not host.allows(Destination.of("https://a.good.example/", "evil.example"))
    assert not host.allows(Destination.of("https://a.good.example/", "b.good.example:8443"))


@pytest.mark.parametrize(
    "text",
    ["*", "*.org", "good.example/x", "a@good.example", "good example", "ftp://good.example", "x,*"],
)
def test_list_with_something_else_is_refused(text):
    with pytest.raises(ValueError, match="not a host"):
        read_allowed_hosts(text)


def test_list_accepts_commas_and_blanks():
    assert len(read_allowed_hosts(" a.example , b.example:1,, ")) == 2
    assert read_allowed_hosts("") == ()
