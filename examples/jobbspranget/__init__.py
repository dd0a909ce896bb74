"""A receiver of Jobbsprånget's kind: an application over `verifier.client`, and the same from a shell script."""
