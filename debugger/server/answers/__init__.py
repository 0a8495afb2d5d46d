"""What answers hold, as types: the document of the API is made of them (`debugger.server.openapi`)."""
