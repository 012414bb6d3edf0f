"""What the maintainers run: the installer, the example, and pages made of tests."""
