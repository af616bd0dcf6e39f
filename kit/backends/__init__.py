"""Where the scenarios run: one protocol, one shared AWS implementation, several clouds."""
