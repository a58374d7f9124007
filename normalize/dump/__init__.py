"""Documents without markup: text as copied from a browser, wire copy, mail, the output of converters."""
