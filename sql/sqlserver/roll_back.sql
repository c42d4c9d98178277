-- An error may have ended it already.
if @@trancount > 0 rollback transaction;
