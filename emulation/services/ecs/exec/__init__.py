"""ECS Exec, the agent's side: sessions, their data channel, and the terminal behind it."""

from .api import ExecApi, Target, Targets
from .terminal import LocalTerminal, Terminal

__all__ = ["ExecApi", "LocalTerminal", "Target", "Targets", "Terminal"]
