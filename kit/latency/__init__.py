"""AWS's own delays in a run: the chosen profile, the delays that a run recorded, predictions, and recorded profiles."""
