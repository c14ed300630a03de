"""What drives a device besides a learned head."""
