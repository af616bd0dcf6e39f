"""Patches of moto, one file each."""
