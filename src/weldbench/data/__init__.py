"""The ingested frames as arrays: loading, resizing, normalizing."""
