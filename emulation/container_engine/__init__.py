"""The container engine, Docker or podman: calls, labels and clean-up."""
