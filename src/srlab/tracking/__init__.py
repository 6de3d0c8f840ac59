"""Weights & Biases: what a run tells it, how that is read back without a server, and how it is shown."""
