from .start import initial_state as initial_state
