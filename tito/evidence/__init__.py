"""The verdict on a milestone, by evidence: what the saved weights can do, and whether the package trains. Logs do not count."""
