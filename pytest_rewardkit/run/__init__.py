"""One pytest run: records where tests run, a ledger and gates where results end."""
