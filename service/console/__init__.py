"""The operator page: the ledger for people with a browser, drawn on the server, through the same actions as the API."""
