"""What the kit promises about speed and size, measured side by side with a peer in one run."""
