"""Interfaces, errors, ids and addressing that all services share."""
