"""Workflow as a graph whose elements can be selected."""
