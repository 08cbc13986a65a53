"""The commands of `tito milestone`, one per file."""
