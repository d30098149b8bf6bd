"""From a source of frames to one array, a manifest and an inventory."""
