"""The agent's side of ECS Exec: sessions, data channels, terminals."""

from .api import ExecApi, ExecTarget, ExecTargetResolver
from .terminal import LocalTerminal, Terminal

__all__ = ["ExecApi", "ExecTarget", "ExecTargetResolver", "LocalTerminal", "Terminal"]
