"""The commands of `tito dev`, one per file."""
