"""Steps that several scenarios share."""
