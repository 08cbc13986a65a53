"""The commands of `tito grade`, one per file."""
