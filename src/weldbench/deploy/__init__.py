"""From a trained model to decisions in a factory: export, runtimes, decisions, predictions."""
