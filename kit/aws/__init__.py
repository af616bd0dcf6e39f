"""AWS plumbing that needs no backend: clients, templates, deployment, stack outputs, undo."""
