"""Files that arrays are kept in. Given."""
