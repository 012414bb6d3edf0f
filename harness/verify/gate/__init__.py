"""Proofs of the gate, on real layers: how often it cries wolf, what it sees, and what it costs.

They take an hour or two together; `make verify-gate` runs them all.
"""
