"""The shapes of what is said: messages, credential types, the learning record, checks and errors.

This room imports none of the others, no cryptography, no database and no web framework.
"""
