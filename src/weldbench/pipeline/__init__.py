"""What the two workflow engines share: lock, sources, lineage, synchronization."""
