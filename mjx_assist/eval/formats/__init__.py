"""Gait files of other programs: a file for each format, convert.py has the table of them."""
