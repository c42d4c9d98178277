drop trigger if exists {{trigger}};
