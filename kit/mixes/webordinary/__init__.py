"""Webordinary as mixes see it: its kinds of actions, its faults, and the places where its markers may surface."""

from .subject import Webordinary

__all__ = ["Webordinary"]
