"""Modules of the child process of an inline Python tool.

The child starts without site-packages and sees nothing of this application, so these modules import the
standard library alone, and little of it: each import is paid for in every call.
"""
