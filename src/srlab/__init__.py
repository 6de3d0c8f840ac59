"""srlab: an experiment framework for deep image super-resolution."""

__version__ = "0.1.0"
