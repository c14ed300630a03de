"""mjx-assist: train walking humans who wear an assistive device, in JAX and MuJoCo."""

__version__ = "0.1.0"
