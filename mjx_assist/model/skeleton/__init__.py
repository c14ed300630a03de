"""Joints and bodies: couplings, loops, folding, inertia."""
