"""Checking what the learner wrote: in the notebook, in the terminal, and for the judge."""
