"""Application Load Balancers: real HTTP and WebSocket routing, health checks, draining, on loopback."""

from .controller import Alb

__all__ = ["Alb"]
