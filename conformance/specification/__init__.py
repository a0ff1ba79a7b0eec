"""Chapters → clauses, and which test proves which: parsed, linted, locked."""
