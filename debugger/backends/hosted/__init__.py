"""Runs on the hosted API, or on any server that speaks like it."""

from debugger.backends.hosted.backend import HostedBackend as HostedBackend
