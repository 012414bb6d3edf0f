"""What gates found, as a part of a report: `section` holds it, whichever way it is laid out.

The sentences and tables are those of `harness.report.gate`.
"""
