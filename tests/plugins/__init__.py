"""Pytest plugins of this project, loaded by name in pyproject.toml so that they also work in xdist's controller."""
