"""``make verify``: proofs that the harness measures what it says, each rerunnable by anyone.

One file a proof. Each yields rows (`harness.verify.row.Row`): what was checked, what is expected,
what was found, and the verdict. ``python -m harness.verify [NAMES]`` runs and prints them;
docs/validity.md says what each shows.
"""
