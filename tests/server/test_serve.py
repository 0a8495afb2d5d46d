from __future__ import annotations

import gc
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import closing
from types import SimpleNamespace

import httpx
import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import SettingsError
from debugger.server.serve import listen, serve
from debugger.settings import Settings
from debugger.store import Role

CHILD = textwrap.dedent(
    """
    from types import SimpleNamespace
    from debugger.server.serve import serve

    serve(SimpleNamespace(), "127.0.0.1", 0, "sk-right")
    """
)


def test_serve_prints_url_and_ends_on_signal():
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as child:
        line = child.stdout.readline().strip()
        url = line.rpartition(" ")[2]

        answer = httpx.get(f"{url}/v1/workflows", trust_env=False)
        child.send_signal(signal.SIGTERM)
        child.wait(10)

    assert line.startswith("Serving the API on http://127.0.0.1:")
    assert url.endswith("/workflows")
    assert answer.status_code == 401


@pytest.mark.parametrize("api_key", [None, ""])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "debugger.example"])
def test_serve_refuses_open_server(embedded, host, api_key):
    with pytest.raises(SettingsError, match=f"who can reach {host}") as raised:
        serve(embedded, host, 0, api_key)

    assert "keys add" in raised.value.advice
    assert "127.0.0.1" in raised.value.advice


def test_serve_listens_beyond_loopback_with_key():
    with closing(EmbeddedBackend(Settings(database="sqlite://"))) as backend:
        backend.store.api_keys.add("Ada", Role.READ)

        with socket.create_server(("0.0.0.0", 0)) as taken:
            for served, api_key in ((backend, None), (SimpleNamespace(), "sk-right")):
                with pytest.raises(SettingsError, match="cannot listen"):
                    serve(served, "0.0.0.0", taken.getsockname()[1], api_key)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.9.9.9"])
def test_this_machine_alone_needs_no_key(host):
    with socket.create_server((host, 0)) as taken, pytest.raises(SettingsError, match="cannot listen"):
        serve(SimpleNamespace(), host, taken.getsockname()[1])


def test_a_port_that_is_taken_is_told():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SettingsError, match="cannot listen") as raised,
    ):
        listen("127.0.0.1", taken.getsockname()[1])

    assert "another port" in raised.value.advice


@pytest.mark.parametrize(
    "host, port", [("host.invalid", 0), ("a" * 70 + ".invalid", 0), ("127.0.0.1", 70_000)]
)
def test_a_place_that_cannot_be_is_told(host, port):
    with pytest.raises(SettingsError, match="cannot listen"):
        listen(host, port)


def test_listen_accepts_ipv6():
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")

    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_connections_leave_descriptors_to_the_store():
    code = textwrap.dedent(
        """
        import resource
        from debugger.server.limits import ConnectionLimits
        from debugger.server.serve import fit_to_descriptors

        for limits in ((5000, 5000), (256, 2000), (256, 256), (40, 40)):
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            total = fit_to_descriptors(ConnectionLimits()).total
            print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], total)
        """
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert child.stdout.splitlines() == ["5000 1000", "1256 1000", "256 192", "40 16"]


def test_listener_disables_delay():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


GC_CHILD = """
import gc
from debugger.server.serve import _freeze_objects

class Loop:
    pass

kept, lost = Loop(), Loop()
kept.own, lost.own = kept, lost
del lost
_freeze_objects()
print(sum(isinstance(thing, Loop) for thing in gc.get_objects()), gc.get_freeze_count() > 1_000)
"""


def test_freeze_objects_collects_garbage_first():
    before = gc.get_freeze_count()

    told = subprocess.run([sys.executable, "-c", GC_CHILD], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["0", "True"]
    assert gc.get_freeze_count() == before
