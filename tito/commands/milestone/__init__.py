"""The commands of `tito milestone`, one a file."""
