"""The samples of a batch: whether they are samples, and whether they keep to themselves."""
