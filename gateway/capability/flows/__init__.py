"""Calls of several requests: pages, jobs, steps and streams, without I/O."""
