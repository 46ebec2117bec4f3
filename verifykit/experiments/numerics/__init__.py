"""Numbers at the ends of their range: extreme values, where they end, and the places that integers name."""
