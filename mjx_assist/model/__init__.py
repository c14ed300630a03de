"""Models: composed by assist_sim, reduced, written as MJCF, varied; names and views of their parts."""
