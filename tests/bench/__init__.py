"""Benchmarks, one module per subject; each yields figures."""
