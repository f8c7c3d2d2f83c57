"""Scoring rules as data, and pure functions from facts to indices, stars and charts."""
