"""One module an area: the checks that bind the clauses of `specs/`."""
