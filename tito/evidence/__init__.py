"""The verdict on a milestone, by evidence: what the saved weights can do, and whether the package trains. No log counts."""
