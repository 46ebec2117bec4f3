"""What torch has built in, and with which arguments it may be what a module is."""
