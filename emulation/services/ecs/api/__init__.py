"""The ECS API: what callers may ask for, and what is refused."""
