"""Backends behind one protocol (base.py): C MuJoCo, MJX, Warp, the composed model."""
