"""The design lab: one policy walks many devices of a family at once, the best is searched, and held to experiments."""
