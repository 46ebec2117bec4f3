"""Where runs happen. Today: in this process."""
