"""Backends: one protocol, one shared AWS implementation, several clouds."""
