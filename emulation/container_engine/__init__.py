"""Docker or podman: how the engine is found, addressed and cleaned up."""
