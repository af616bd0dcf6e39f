"""What needs a container engine and the base image (`kit images build`): run by `nox -s docker`."""
