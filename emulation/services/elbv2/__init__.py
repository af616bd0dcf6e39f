"""Application Load Balancers on loopback: HTTP and WebSocket routing, health checks, draining."""

from .controller import Alb

__all__ = ["Alb"]
