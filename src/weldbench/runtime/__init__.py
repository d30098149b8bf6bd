"""The machine: processor, disk, files, processes, progress, random streams."""
