"""How long things are kept, and what a legal hold keeps longer."""
