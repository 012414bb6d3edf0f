"""``pytest suites/ --benchmark-only``: every case of the quick sweep; see harness.pytest_plugin."""


def test_layer(benchmark, layer_case, benchmark_layer):  # type: ignore[no-untyped-def]
    benchmark_layer(benchmark, layer_case)
