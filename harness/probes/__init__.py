"""Probes: each asks one question of a prepared step."""
