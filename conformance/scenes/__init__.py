"""Small inputs that leave a defect no place to hide: NumPy only, seeded, never symmetric."""
