-- A range of its own below zero, once: the first statement locks out whoever does the same, and who comes second finds it
-- there. What is drawn meanwhile lies above.
alter sequence {{sequence}} minvalue {{from}};
select setval({{object}}, {{from}}, false) from {{sequence}} s where s.last_value >= 0;
alter sequence {{sequence}} start with {{from}} maxvalue -1;
