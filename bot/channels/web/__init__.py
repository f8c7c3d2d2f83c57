"""The web channel: the chat that the service brings along, for pages and for `POST /web/say`."""
