drop function {{functions}};
