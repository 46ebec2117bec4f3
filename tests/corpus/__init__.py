"""Planted bugs, each beside its correct twin."""
