"""Proximal policy optimization in JAX; it knows nothing of humans."""
