"""OData: what its query options say."""
