"""What the data is: document states, published columns, errors. No I/O."""
