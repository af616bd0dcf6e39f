"""Hypothesis profiles: `nox -s fast` tries fewer examples."""

from hypothesis import settings

settings.register_profile("fast", max_examples=20)
