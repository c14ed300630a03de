"""Kinds of ground, and heightfields of them."""
