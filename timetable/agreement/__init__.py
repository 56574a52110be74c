"""Agreeing: on a draft before it is published, and on changes and closings afterwards."""
