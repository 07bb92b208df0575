"""Judge a candidate by one criterion each; never by trusting its author."""
