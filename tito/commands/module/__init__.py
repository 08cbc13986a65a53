"""The commands of `tito module`, one a file."""
