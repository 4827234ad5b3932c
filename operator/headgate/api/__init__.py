"""The three resources and their parts as pydantic models, and the CRDs made from them."""
