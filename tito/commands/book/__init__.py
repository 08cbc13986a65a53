"""The commands of `tito book`, one per file."""
