"""The commands of `tito dev`, one a file."""
