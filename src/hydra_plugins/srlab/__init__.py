"""What srlab adds to Hydra, where Hydra looks for it."""
