"""What drives a device besides a learned head: zero torque, a torque profile over the gait cycle, impedance.

Pure functions over an array namespace: the same in the jitted env (JAX) and in replay (NumPy). No JAX is imported."""
