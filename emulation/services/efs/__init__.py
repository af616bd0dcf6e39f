"""EFS file systems and access points as tasks mount them."""

from .controller import Storage
from .file_store import FileStore, FillableFileStore, MountFailed, NamedVolume, Owner, Volume

__all__ = ["FileStore", "FillableFileStore", "MountFailed", "NamedVolume", "Owner", "Storage", "Volume"]
