//! Filters that name objects: `skills__any=Rust,SQL`, `company=Acme`. All names of a request are looked up in one statement, with
//! how common each object is, before the list itself is asked for.

use std::{
    collections::{BTreeSet, HashMap},
    ptr,
};

use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Text},
};

use super::{
    Relation, Value,
    condition::{Column, Condition, FEW, Select},
};
use crate::{
    db::{Backend, DbConnection},
    rules,
    text::{fold, trim},
};

/// A kind of object that filters name.
pub struct Objects {
    /// It has the columns `id` and `name_key`.
    pub table: &'static str,
    pub id: fn() -> Column,
    pub key: fn() -> Column,
    /// `SELECT 1 …`: the links to one of the objects, where the rows of the list have several each.
    pub links: Option<&'static str>,
}

/// How the rows of a list are linked to objects that filters name.
pub struct Links {
    pub objects: &'static Objects,
    pub relation: Relation,
    /// `(SELECT count(*) …`: how many of a row's links fulfil a condition.
    pub count: &'static str,
    /// The link's object.
    pub object: fn() -> Column,
    /// The same as an expression, which no index answers: a row has few links, and a filter may name many objects.
    pub checked: fn() -> Column,
}

/// An object as a filter names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Id(i64),
    /// The folded name; and the one that was meant if the blanks behind it were pluses.
    Key {
        key: String,
        pluses: Option<String>,
    },
}

impl Name {
    /// Reads a name in any letter case. Blanks around it do not count, as in DRF; but no name ends with a blank, while
    /// a `+` that was not encoded arrives as one. So `C++` asks for C++, unless there is no such object.
    pub fn read(text: &str) -> Self {
        let name = trim(text);
        let blanks = text.len() - text.trim_end_matches(' ').len();
        let pluses = (blanks > 0 && !name.is_empty()).then(|| fold(name) + &"+".repeat(blanks));
        Self::Key {
            key: fold(name),
            pluses,
        }
    }

    /// As [`read`](Self::read); a whole number is an id.
    ///
    /// # Errors
    /// The message for a number that no id can be.
    pub fn read_or_id(text: &str) -> Result<Self, String> {
        let is_number = trim(text)
            .trim_start_matches(['-', '+'])
            .bytes()
            .all(|byte| byte.is_ascii_digit());
        match rules::integer(text, &(i64::MIN..=i64::MAX)) {
            Ok(id) => Ok(Self::Id(id)),
            Err(message) if is_number => Err(message),
            Err(_) => Ok(Self::read(text)),
        }
    }
}

/// What rows must have to do with the objects that a filter names.
#[derive(Clone)]
pub enum How {
    /// The column has the id of one of them.
    Is(&'static Objects, fn() -> Column),
    /// They are linked to all of them,
    All(&'static Links),
    /// to so many of them or more,
    AtLeast(usize, &'static Links),
    /// or to none.
    None(&'static Links),
}

/// A filter that names objects.
#[derive(Clone)]
pub struct Named {
    pub names: Vec<Name>,
    pub how: How,
}

impl Named {
    fn objects(&self) -> &'static Objects {
        match self.how {
            How::Is(objects, _) => objects,
            How::All(links) | How::AtLeast(_, links) | How::None(links) => links.objects,
        }
    }

    /// Whether it needs no sub-select of its own, for it becomes one with others of its kind.
    pub fn joins(&self) -> bool {
        !matches!(self.how, How::AtLeast(..))
    }

    /// Takes the names of `other` too, where one filter asks what the two do: to have all of these and all of those is to have
    /// all of both.
    pub fn join(&mut self, other: &Self) -> bool {
        let joins = match (&self.how, &other.how) {
            (How::All(links), How::All(others)) | (How::None(links), How::None(others)) => {
                ptr::eq(*links, *others)
            }
            _ => false,
        };
        if joins {
            self.names.extend_from_slice(&other.names);
        }
        joins
    }

    /// The condition, now that the names are looked up: `found` is what [`Found::load`] gives.
    pub fn settled(&self, found: &[(&'static str, Found)]) -> Condition {
        let table = self.objects().table;
        match found.iter().find(|(known, _)| *known == table) {
            Some((_, found)) => self.among(found),
            None => self.among(&Found::default()),
        }
    }

    fn among(&self, found: &Found) -> Condition {
        let ids: Vec<Option<i64>> = self.names.iter().map(|name| found.id(name)).collect();
        let complete = ids.iter().all(Option::is_some);
        let ids: BTreeSet<i64> = ids.into_iter().flatten().collect();
        let mut ids: Vec<i64> = ids.into_iter().collect();
        // The rarest first.
        ids.sort_by_key(|id| found.links(*id));
        match self.how {
            How::Is(_, column) => one_of(column, column, &ids),
            How::All(_) if !complete => Condition::never(),
            How::All(links) => links.at_least(ids.len(), &ids, found),
            How::AtLeast(count, links) => links.at_least(count, &ids, found),
            How::None(_) if ids.is_empty() => Condition::All(Vec::new()),
            How::None(links) => links.check(1, &ids).negated(),
        }
    }
}

impl Links {
    /// Linked to `count` or more of the objects, which are sorted, the rarest first.
    fn at_least(&self, count: usize, ids: &[i64], found: &Found) -> Condition {
        let Some(others) = ids.len().checked_sub(count) else {
            return Condition::never();
        };
        let check = self.check(count, ids);
        // A row without any of these has too few, even if it has all the others.
        let rarest = &ids[..=others];
        let links: i64 = rarest.iter().map(|id| found.links(*id)).sum();
        if links > FEW {
            return check;
        }
        let rarest = one_of(self.object, self.object, rarest);
        let select = Select(self.relation.select, rarest);
        let sought = Condition::Among((self.relation.column)(), vec![std::sync::Arc::new(select)]);
        if count == 1 {
            sought
        } else {
            Condition::All(vec![sought, check])
        }
    }

    fn check(&self, count: usize, ids: &[i64]) -> Condition {
        let among = Box::new(one_of(self.object, self.checked, ids));
        if count == 1 {
            Condition::Related(self.relation.exists, among)
        } else {
            Condition::RelatedAtLeast(self.count, among, count)
        }
    }
}

/// That the one column has the id when there is one, or the other has one of several.
fn one_of(one: fn() -> Column, several: fn() -> Column, ids: &[i64]) -> Condition {
    match ids {
        [] => Condition::never(),
        [id] => Condition::Compare(one(), " = ", Value::Int(*id)),
        ids => Condition::In(
            several(),
            padded(ids.iter().copied().map(Value::Int).collect()),
        ),
    }
}

/// With the last value again up to the next power of two, so that one statement serves many.
pub(super) fn padded(mut values: Vec<Value>) -> Vec<Value> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// What names were found to be.
#[derive(Default)]
pub struct Found {
    /// The ids, and how many links each has: more than [`FEW`] count as one more.
    links: HashMap<i64, i64>,
    ids: HashMap<String, i64>,
}

impl Found {
    /// Looks up what the filters name, in one statement for each kind of object.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn load(
        conn: &mut DbConnection,
        filters: &[&Named],
    ) -> QueryResult<Vec<(&'static str, Self)>> {
        let mut found: Vec<(&'static str, Self)> = Vec::new();
        for filter in filters {
            let objects = filter.objects();
            if found.iter().any(|(table, _)| *table == objects.table) {
                continue;
            }
            let names = filters
                .iter()
                .filter(|other| ptr::eq(other.objects(), objects))
                .flat_map(|filter| &filter.names);
            found.push((objects.table, Self::look_up(conn, objects, names)?));
        }
        Ok(found)
    }

    fn look_up<'a>(
        conn: &mut DbConnection,
        objects: &'static Objects,
        names: impl Iterator<Item = &'a Name>,
    ) -> QueryResult<Self> {
        let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for name in names {
            match name {
                Name::Id(id) => {
                    ids.insert(*id);
                }
                Name::Key { key, pluses } => keys.extend([key].into_iter().chain(pluses)),
            }
        }
        let ids: Vec<Value> = ids.into_iter().map(Value::Int).collect();
        let keys = keys
            .into_iter()
            .cloned()
            .map(Value::Text)
            .collect::<Vec<_>>();
        let mut among = Vec::new();
        if !ids.is_empty() {
            among.push(Condition::In((objects.id)(), padded(ids)));
        }
        if !keys.is_empty() {
            among.push(Condition::In((objects.key)(), padded(keys)));
        }
        let rows: Vec<(i64, String, i64)> = LookUp {
            objects,
            among: Condition::Any(among),
        }
        .load(conn)?;
        let mut found = Self::default();
        for (id, key, links) in rows {
            found.links.insert(id, links);
            found.ids.insert(key, id);
        }
        Ok(found)
    }

    fn id(&self, name: &Name) -> Option<i64> {
        match name {
            Name::Id(id) => Some(*id).filter(|id| self.links.contains_key(id)),
            Name::Key { key, pluses } => {
                let meant = pluses.as_ref().and_then(|key| self.ids.get(key));
                meant.or_else(|| self.ids.get(key)).copied()
            }
        }
    }

    fn links(&self, id: i64) -> i64 {
        self.links.get(&id).copied().unwrap_or_default()
    }
}

/// The statement that looks names up.
struct LookUp {
    objects: &'static Objects,
    among: Condition,
}

impl QueryFragment<Backend> for LookUp {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        let Objects { table, links, .. } = self.objects;
        out.push_sql(&format!("SELECT {table}.id, {table}.name_key, "));
        match links {
            Some(links) => out.push_sql(&format!(
                "(SELECT count(*) FROM ({links} LIMIT {}) AS found)",
                FEW + 1
            )),
            None => out.push_sql("CAST(0 AS BIGINT)"),
        }
        out.push_sql(&format!(" FROM {table} WHERE "));
        self.among.walk(out)
    }
}

impl QueryId for LookUp {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for LookUp {
    type SqlType = (BigInt, Text, BigInt);
}

impl RunQueryDsl<DbConnection> for LookUp {}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn blanks_behind_a_name_may_have_been_pluses() {
        let key = |key: &str, pluses: Option<&str>| Name::Key {
            key: key.to_owned(),
            pluses: pluses.map(ToOwned::to_owned),
        };
        assert_eq!(Name::read("C  "), key("c", Some("c++")));
        assert_eq!(Name::read(" Visual C++\t"), key("visual c++", None));
        assert_eq!(Name::read("  "), key("", None));
        assert_eq!(Name::read_or_id(" 7 "), Ok(Name::Id(7)));
        assert!(Name::read_or_id("9223372036854775808").is_err());
        assert_eq!(Name::read_or_id("7a"), Ok(key("7a", None)));
    }
}
