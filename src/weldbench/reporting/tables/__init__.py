"""Every table of the comparison."""
