"""The networks: how they are built, started, stored, run and explained."""
