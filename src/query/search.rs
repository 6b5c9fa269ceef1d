//! The search: every word must begin some word of an object's text.

use std::{collections::BTreeSet, sync::Arc};

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment},
    sql_types::Text,
    sqlite::Sqlite,
};

use super::field::TEXT_MAX;
use crate::{db::Backend, rules, text};

/// Words of a search at most.
const WORDS_MAX: usize = 32;

/// Where the words of a table's rows are: the FTS5 table `{table}_search`, or on PostgreSQL an index on the same columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordIndex {
    pub table: &'static str,
    /// FTS5's choice of columns, with a colon behind it; empty for all of the index.
    pub of_sqlite: &'static str,
    /// The expression of the words, to the letter that of PostgreSQL's index.
    pub of_postgres: &'static str,
}

/// A sub-select of the ids of what has a word that begins so, between two pieces of SQL.
pub struct HasWord {
    before: &'static str,
    index: WordIndex,
    /// In FTS5's syntax or in that of `tsquery`. A word is letters and digits alone, so there is nothing to escape.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "it is for PostgreSQL")
    )]
    tsquery: String,
    fts5: String,
    after: &'static str,
}

impl HasWord {
    pub fn new(
        before: &'static str,
        index: WordIndex,
        word: &str,
        after: &'static str,
    ) -> Arc<Self> {
        let tsquery = format!("'{word}':*");
        let fts5 = format!("{}\"{word}\"*", index.of_sqlite);
        Arc::new(Self {
            before,
            index,
            tsquery,
            fts5,
            after,
        })
    }
}

impl QueryFragment<Sqlite> for HasWord {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let table = self.index.table;
        out.push_sql(self.before);
        out.push_sql(&format!(
            "SELECT rowid FROM {table}_search WHERE {table}_search MATCH "
        ));
        out.push_bind_param::<Text, _>(&self.fts5)?;
        out.push_sql(self.after);
        Ok(())
    }
}

#[cfg(feature = "postgres")]
impl QueryFragment<diesel::pg::Pg> for HasWord {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        let WordIndex {
            table, of_postgres, ..
        } = self.index;
        out.push_sql(self.before);
        out.push_sql(&format!(
            "SELECT id FROM {table} WHERE array_to_tsvector(array_remove(string_to_array({of_postgres}, ' '), '')) @@ "
        ));
        out.push_bind_param::<Text, _>(&self.tsquery)?;
        out.push_sql("::tsquery");
        out.push_sql(self.after);
        Ok(())
    }
}

impl QueryFragment<Backend> for HasWord {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        Backend::walk_variant_ast(self, out)
    }
}

/// The words to look for. One that another begins with asks nothing more.
///
/// # Errors
/// The message for too many.
pub(super) fn wanted(search: &str) -> Result<Vec<String>, String> {
    rules::within(search, TEXT_MAX)?;
    let mut words: Vec<String> = Vec::new();
    // Sorted, so that those that begin with a word follow it.
    for word in text::words(search)
        .into_iter()
        .map(cut)
        .collect::<BTreeSet<_>>()
    {
        match words.last_mut() {
            Some(last) if word.starts_with(last.as_str()) => *last = word,
            _ => words.push(word),
        }
    }
    if words.len() > WORDS_MAX {
        return Err(format!("Ensure there are no more than {WORDS_MAX} words."));
    }
    Ok(words)
}

/// PostgreSQL takes no longer lexemes than 2,046 bytes. No field holds a word near that, so a cut one finds nothing either.
fn cut(mut word: String) -> String {
    word.truncate(word.floor_char_boundary(2_000));
    word
}
