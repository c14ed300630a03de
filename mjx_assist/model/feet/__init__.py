"""The ground contact of a foot as spheres."""
