"""ECS Exec, the agent's side: sessions, their data channel, and the terminal behind it."""

from .api import ExecApi, ExecTarget, ExecTargetResolver
from .terminal import LocalTerminal, Terminal

__all__ = ["ExecApi", "ExecTarget", "ExecTargetResolver", "LocalTerminal", "Terminal"]
