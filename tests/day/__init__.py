"""One day told word for word over every channel, and the same day with the power going off again and again."""
