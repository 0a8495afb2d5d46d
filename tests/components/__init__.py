"""Tests of components in a browser, without Streamlit; a package, so that its fixtures end with it."""
