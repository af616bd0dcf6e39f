"""A client of ECS Exec: runs commands in containers over the SSM data channel."""

from .client import EcsExec, ExecError, ExecResult

__all__ = ["EcsExec", "ExecError", "ExecResult"]
