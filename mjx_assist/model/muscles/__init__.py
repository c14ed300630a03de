"""Muscle paths over folded joints, refitted."""
