"""What stands between a walker and its world: pushes, a device's delay, noisy and late senses. NumPy and JAX."""
