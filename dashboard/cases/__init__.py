"""What the pages of the queue, of cases and of approvals are made of."""
