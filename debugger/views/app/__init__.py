"""The installed app with its configuration.

Streamlit puts this folder first on Python's path and reads ``.streamlit/config.toml`` in it, so that it holds
nothing else.
"""
