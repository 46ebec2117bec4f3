"""What a module costs: plain data from live modules."""
