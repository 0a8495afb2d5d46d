"""Streamlit pages: they read a session or a backend, and draw."""
