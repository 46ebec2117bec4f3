"""Modules with a planted performance smell each, on the line that says so, and clean ones."""
