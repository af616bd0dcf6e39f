"""Imported by the fork server."""
