"""What looks at a policy, without JAX: replay, gait figures, formats, studies, plots, reports, views."""
