"""Which value of an axis to try next, and what the tries so far tell; pure, so it starts nothing.

`limit` looks for the largest value that fits into memory, `crossing` for where one curve passes
another. Each is a function of what has been tried, so a search that is cut short has an answer too.
"""
