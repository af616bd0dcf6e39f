"""Runs scenarios: plan, execution, outcome, console."""
