create schema {{store}}
