"""Mask arguments: which there are, how to fill them, and what outputs see of what is masked."""
