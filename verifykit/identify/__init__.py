"""Which known operation a module is, and what a loss is made of."""
