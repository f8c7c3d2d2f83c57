"""The Telegram channel against a server that stands in for the Bot API."""
