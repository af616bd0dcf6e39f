"""ECS Exec, the client's side: run a command inside a container, as the AWS CLI's session-manager-plugin does."""

from .client import EcsExec, ExecError, ExecResult

__all__ = ["EcsExec", "ExecError", "ExecResult"]
