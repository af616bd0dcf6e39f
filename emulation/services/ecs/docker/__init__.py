"""The Docker runtime: tasks are containers on a network of the run, file systems are volumes.

DockerHost        engine, network, address of this machine; removes everything at the end
  EngineRun         what the parts below need of it
  DockerRuntime     ContainerSpec --engine_config--> container: attach, wait, exec
  TaskMemory        limits the memory of a task with several containers
  Volumes           (file system, root directory) --> volume
"""

from .host import DockerHost

__all__ = ["DockerHost"]
