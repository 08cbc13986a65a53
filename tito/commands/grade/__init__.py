"""The commands of `tito grade`, one a file."""
