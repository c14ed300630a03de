"""The bundle that a training leaves behind, and inference in NumPy. Opening one runs no code."""
