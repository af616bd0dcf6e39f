"""Steps shared by several scenarios."""
