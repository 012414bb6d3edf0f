"""The gate's judgement: which of two versions is slower or hungrier, with a known error rate.

Pure: data, arithmetic and decisions. `harness.regress` measures and asks it.
"""
