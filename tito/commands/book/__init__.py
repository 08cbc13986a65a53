"""The commands of `tito book`, one a file."""
