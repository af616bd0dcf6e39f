"""The emulated backend: starts the emulated cloud as a child process, or attaches to one."""
