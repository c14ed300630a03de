"""Gait figures from records: what is measured, on which strides, against which published values."""
