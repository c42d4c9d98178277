drop table {{tables}};
