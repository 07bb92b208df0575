"""What runs inside the sandbox beside a candidate, and how what it says is read."""
