-- @P1 what is locked until the end of the transaction, @P2 milliseconds: below 0, somebody else has it.
declare @turn int;
exec @turn = sp_getapplock @Resource = @P1, @LockMode = N'Exclusive', @LockOwner = N'Transaction', @LockTimeout = @P2;
select @turn as turn;
