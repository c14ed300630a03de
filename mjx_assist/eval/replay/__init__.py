"""A policy walks in C MuJoCo, and what comes of it is a gait record."""
