"""Verified addresses and domains, by both versions of the SES API."""
