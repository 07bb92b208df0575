"""Judge a request: what it says, what a trained model makes of that, what safety demands, whom to ask."""
