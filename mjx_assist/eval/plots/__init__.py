"""Figures: style.py is how all of them look."""
