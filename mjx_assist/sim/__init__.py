"""The env: what a walker observes, does, is rewarded for, meets and ends at."""
