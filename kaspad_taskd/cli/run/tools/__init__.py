"""The place of the programs that `run` knows: a file each, pure, from bytes to readings."""
