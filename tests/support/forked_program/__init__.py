"""A program for the fork server."""
