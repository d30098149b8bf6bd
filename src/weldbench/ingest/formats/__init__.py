"""Readers of picture files: one module for each family of formats, all of them ending in the same samples."""
