"""The commands of `tito`, one per file."""
