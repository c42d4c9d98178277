drop schema {{store}};
