"""How far a decision can be trusted: what escapes, what can be promised, and how many welds that takes."""
