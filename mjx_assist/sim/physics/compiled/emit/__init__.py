"""The graph as a program: C++ for CPUs, JAX arrays for XLA and, inside a kernel of Pallas, for GPUs."""
