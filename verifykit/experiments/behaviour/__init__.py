"""What checks of behaviour and cost observe: state kept between calls, global settings, randomness, growth."""
