"""Dividing frames into train, valid and test, and auditing what the splits share."""
