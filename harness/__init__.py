"""layerbench: benchmarks neural-network layers across frameworks and machines."""
