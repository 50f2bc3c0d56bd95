"""Measurements that print. Not tests: nothing here passes or fails."""
