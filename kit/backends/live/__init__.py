"""Real AWS: what guards it, what remembers what was made there, and who may use it at a time."""
