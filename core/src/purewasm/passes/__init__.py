"""What happens to a function between construction and code; `pipeline` is the table of contents."""
