"""EFS file systems and access points as tasks mount them."""
