"""What the stored runs of a machine tell of what became slower, and since when.

`events` puts the changes that `harness.gate.history` found into words and tables, `chart` draws
them, and `section` is what every layout shows. All are functions of histories.
"""
