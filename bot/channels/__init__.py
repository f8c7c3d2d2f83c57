"""One folder per channel: what comes in as an Incoming, what goes out from a Message."""
