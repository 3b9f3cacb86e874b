"""Connected mailboxes: what is known of them and which addresses are their own."""
