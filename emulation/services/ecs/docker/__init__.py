"""The Docker runtime: every task is containers on a network of the run's own, every file system a volume.

DockerHost      engine, network, the way back to this machine; removes everything at the end
  DockerRuntime   ContainerSpec --shape--> container, attach, wait, exec
  TaskMemory      holds the containers of a task to its memory together
  Volumes         (file system, root directory) --> volume
sweep.py        what removes a run's things without this process: the guardian, an audit
"""

from .host import DockerHost

__all__ = ["DockerHost"]
