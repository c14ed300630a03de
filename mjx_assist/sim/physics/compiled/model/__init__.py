"""A model as a graph: what one physics step of it is, part by part, by MuJoCo's rules."""
