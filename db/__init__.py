"""What is remembered: one file per aggregate, its tables and every query on them."""
