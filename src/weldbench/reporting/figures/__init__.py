"""Every figure of the comparison."""
