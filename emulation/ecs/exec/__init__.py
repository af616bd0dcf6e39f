"""ECS Exec, the agent's side: sessions, their data channel, and the terminal behind it."""

from emulation.ecs.exec.api import ExecApi, Target, Targets
from emulation.ecs.exec.terminal import LocalTerminal, Terminal

__all__ = ["ExecApi", "LocalTerminal", "Target", "Targets", "Terminal"]
