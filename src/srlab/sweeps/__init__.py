"""Sweeps: what each job says of itself, and the table of all jobs."""
