"""Conformance facts: what AWS answers, asked of any cloud.

A file of `facts/` holds the facts of one service; `facts.py` says how they are written.
"""
