"""The report page of a run, made from the run's files: no cloud, no network."""
