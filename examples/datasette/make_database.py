"""Write the example's SQLite file: python make_database.py library.db."""

import sqlite3
import sys
from contextlib import closing

BOOKS = (
    ("Frankenstein", "Mary Shelley", 1818, "science fiction", 280),
    ("Twenty Thousand Leagues Under the Seas", "Jules Verne", 1870, "science fiction", 426),
    ("The Time Machine", "H. G. Wells", 1895, "science fiction", 118),
    ("The War of the Worlds", "H. G. Wells", 1898, "science fiction", 192),
    ("Solaris", "Stanisław Lem", 1961, "science fiction", 204),
    ("A Wizard of Earthsea", "Ursula K. Le Guin", 1968, "fantasy", 205),
    ("The Left Hand of Darkness", "Ursula K. Le Guin", 1969, "science fiction", 286),
    ("The Dispossessed", "Ursula K. Le Guin", 1974, "science fiction", 341),
    ("The Hobbit", "J. R. R. Tolkien", 1937, "fantasy", 310),
    ("The Name of the Rose", "Umberto Eco", 1980, "mystery", 512),
    ("The Hound of the Baskervilles", "Arthur Conan Doyle", 1902, "mystery", 256),
    ("The Moonstone", "Wilkie Collins", 1868, "mystery", 528),
    ("Murder on the Orient Express", "Agatha Christie", 1934, "mystery", 256),
    ("Pride & Prejudice", "Jane Austen", 1813, "novel", 432),
    ("Middlemarch", "George Eliot", 1871, "novel", 880),
    ("Mrs Dalloway", "Virginia Woolf", 1925, "novel", 194),
)

SCHEMA = """
create table books (
  id integer primary key,
  title text not null,
  author text not null,
  year integer not null,
  genre text not null,
  pages integer not null
);
create index books_by_year on books (year);
"""


def write(path: str) -> None:
    """A fresh file at `path`; fails if there is one already."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
        columns = "(title, author, year, genre, pages)"
        database.executemany(f"insert into books {columns} values (?, ?, ?, ?, ?)", BOOKS)  # noqa: S608 (a literal)


if __name__ == "__main__":
    write(sys.argv[1])
