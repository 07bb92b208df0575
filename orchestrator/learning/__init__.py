"""What routing takes from the ledger: who passes, who is right, and where a route had better start."""
