"""Work orders: read as they were written, their tests found among the checks, their rows and guards kept. Runs nothing itself."""
