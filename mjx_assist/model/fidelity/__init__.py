"""How close a reduced model is to the full one: figures, bounds, tables."""
