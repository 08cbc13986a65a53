"""The commands of `tito`, one a file."""
