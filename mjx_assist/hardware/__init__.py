"""The device head for the computer that a device carries."""
