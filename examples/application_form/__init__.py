"""A small receiver with a form: an applicant fills it in from their wallet, by hand, or with some of both."""
