"""Reference gaits: published, fitted to a model, or the user's own motion."""
