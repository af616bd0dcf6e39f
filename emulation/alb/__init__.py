"""Application Load Balancers: real HTTP and WebSocket routing, health checks, draining, on loopback."""

from emulation.alb.controller import Alb

__all__ = ["Alb"]
