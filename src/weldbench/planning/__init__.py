"""Before a run: whether this machine is ready for it, and how long it will take."""
