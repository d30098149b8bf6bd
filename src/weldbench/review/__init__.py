"""The page on which a person keeps, corrects or drops labels that are in doubt: `weldbench review`."""
