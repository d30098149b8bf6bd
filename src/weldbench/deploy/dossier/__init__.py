"""The dossier of an exported model: what a factory must know before it relies on it, computed."""
