"""The office: keeps what arrives, asks it and answers."""
