"""The catalogue: what a layer is, one file a family, all frameworks side by side."""
