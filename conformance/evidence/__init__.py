"""What stays of a run: report, verdict, ledger, and what they mean. Pure functions from lines to lines."""
