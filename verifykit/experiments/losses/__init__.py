"""What the checks of losses share: a loss as a number, what a better prediction is, and what may have no influence."""
