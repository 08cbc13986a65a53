"""From notebooks to the package and back: reading, stripping, exporting."""
