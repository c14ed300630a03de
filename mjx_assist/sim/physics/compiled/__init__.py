"""The backend `compiled`: a physics step generated for one model, as a graph of expressions that becomes one kernel."""
