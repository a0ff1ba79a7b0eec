"""Pages rendered from a report: pure functions from lines to a view, a template, pictures, JUnit's XML, and the lines' schema."""
