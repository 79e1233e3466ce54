"""What the tests stand on: a scripted phone, sample workbooks, real databases."""
