"""The commands of `tito module`, one per file."""
