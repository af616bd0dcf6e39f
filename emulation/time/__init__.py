"""The cloud's clock."""
