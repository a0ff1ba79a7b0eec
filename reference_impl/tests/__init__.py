"""What the reference promises beyond the contract; the contract itself is proved by `conformance/suite`."""
