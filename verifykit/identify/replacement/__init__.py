"""Whether a target may replace a reference: equal in every precision, and at what cost."""
