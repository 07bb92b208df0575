"""Run several authors' answers to one task side by side and see where they differ: differential testing.

A few visible tests let wrong programs through. A second author makes the same mistake seldom, so that equal
behaviour on many made-up arguments is strong evidence, and a single differing value is a test nobody wrote.
"""
