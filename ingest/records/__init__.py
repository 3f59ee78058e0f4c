"""The contract: what a record is, and what is wrong with a line that is none. Pure."""
