"""The product People and its versions."""

PRODUCT = "people"
VERSION = "2025-11-10"
# The first in which submissions of a form can be made.
FORM_SUBMISSION_VERSION = "2026-06-04"
