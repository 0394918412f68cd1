"""The way of records from where tests run to where results end."""
