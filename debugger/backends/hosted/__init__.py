"""Runs on the hosted API, or on a compatible server."""

from debugger.backends.hosted.backend import HostedBackend as HostedBackend
