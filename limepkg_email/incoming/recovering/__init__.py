"""The recovery's parts: what is listed, how one mail is brought in, what is reported."""
