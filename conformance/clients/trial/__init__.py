"""The released ptychodus, run for real on a backend with a drop-in."""
