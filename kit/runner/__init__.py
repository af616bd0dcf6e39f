"""Runs scenarios: plan, execution, verdict, console, report."""
