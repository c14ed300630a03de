"""A whole run: loop, callbacks, checkpoints, evaluation beside it, export."""
