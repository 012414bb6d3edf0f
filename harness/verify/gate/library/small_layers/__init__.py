"""The small layer library of the gate's proof, as of its first commit."""
