//! Rows of a file into objects, by the rules of the API's own forms.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Tally, Undone,
    passwords::{Passwords, Ready},
    report::Report,
    source::Record,
};
use crate::{
    api::{Form, Resource},
    auth,
    db::{DbConnection, Stamp},
    error::{Error, FieldErrors},
    json::Json,
    models::Stored,
    rules,
    text::fold,
};

/// Rows whose references are looked up together.
const BATCH: usize = 500;

/// Characters of a natural name at most, whatever kind of object it is.
const NAME_MAX: usize = 200;

/// Takes the rows of one file.
pub struct Taker<'a, R: Resource> {
    file: &'a str,
    now: Stamp,
    /// The person at the command line, who may do everything.
    by: auth::User,
    /// The greatest id before the import. A row with a greater one is new without a look.
    last_id: i64,
    /// The ids and natural names of the rows before.
    ids: HashSet<i64>,
    names: HashSet<String>,
    passwords: Passwords,
    waiting: Vec<(Record, Option<Ready>)>,
    /// The last row that broke what must hold when all rows are there.
    doubtful: Option<(u64, FieldErrors)>,
    tally: Tally,
    model: std::marker::PhantomData<fn(R)>,
}

/// A row that waits to be read by the rules.
struct Row<R> {
    line: u64,
    id: Option<i64>,
    /// The object that it changes; `None` when it adds one.
    old: Option<R>,
}

impl<'a, R: Resource> Taker<'a, R> {
    pub fn new(
        conn: &mut DbConnection,
        file: &'a str,
        passwords: Passwords,
    ) -> Result<Self, Undone> {
        Ok(Self {
            file,
            now: Stamp::now(),
            by: auth::User::operator(),
            last_id: R::last_id(conn)?,
            ids: HashSet::new(),
            names: HashSet::new(),
            passwords,
            waiting: Vec::new(),
            doubtful: None,
            tally: Tally::default(),
            model: std::marker::PhantomData,
        })
    }

    /// Takes a row, now or together with those behind it.
    pub fn take(
        &mut self,
        conn: &mut DbConnection,
        record: Record,
        report: &mut Report,
    ) -> Result<(), Undone> {
        let ready = self.passwords.pop_front().flatten();
        self.waiting.push((record, ready));
        // A row may take a name that the row before it gave up, so these are looked up one by one.
        let batch = if R::MATCHED_BY.is_some() { 1 } else { BATCH };
        if self.waiting.len() < batch {
            return Ok(());
        }
        self.take_waiting(conn, report)
    }

    /// Takes what still waits, and checks what must hold when all rows are there.
    pub fn finish(mut self, conn: &mut DbConnection, report: &mut Report) -> Result<Tally, Undone> {
        self.take_waiting(conn, report)?;
        if let Some((line, errors)) = &self.doubtful
            && !R::holds(conn)?
        {
            report.add_all(self.file, *line, R::COLUMNS, errors);
        }
        if !self.ids.is_empty() {
            conn.pass_ids(R::ABOUT.many)?;
        }
        Ok(self.tally)
    }

    fn take_waiting(&mut self, conn: &mut DbConnection, report: &mut Report) -> Result<(), Undone> {
        let records = std::mem::take(&mut self.waiting);
        let (rows, mut forms) = self.matched(conn, records)?;
        let mut known = R::known(conn, &forms)?;
        let (mut added, mut ids) = (Vec::new(), Vec::new());
        for (row, mut form) in rows.into_iter().zip(forms.drain(..)) {
            let old = row.old.map(|old| (old.id(), old.draft()));
            let (id, mut draft) = match &old {
                Some((id, old)) => (Some(*id), old.clone()),
                None => (None, R::blank(&self.by, self.now)),
            };
            let name = R::MATCHED_BY.and_then(|key| form.text(key, NAME_MAX));
            R::read(&mut form, &mut draft, &mut known, &self.by, id);
            let errors = form.finish();
            if R::MATCHED_BY.is_some_and(|key| !errors.contains(key)) {
                self.names.extend(name.map(|name| fold(&name)));
            }
            if !errors.is_empty() {
                report.add_all(self.file, row.line, R::COLUMNS, &errors);
                continue;
            }
            if let Some((id, old)) = old {
                self.change(conn, row.line, id, &old, draft)?;
            } else {
                ids.push(R::insert(conn, row.id, &draft)?);
                added.push(draft);
                self.tally.added += 1;
            }
        }
        R::link(conn, &ids, &added)?;
        Ok(())
    }

    fn change(
        &mut self,
        conn: &mut DbConnection,
        line: u64,
        id: i64,
        old: &R::Draft,
        new: R::Draft,
    ) -> Result<(), Undone> {
        match R::check(conn, id, old, &new) {
            Ok(()) => {}
            Err(Error::Fields(errors)) => self.doubtful = Some((line, errors)),
            Err(error) => return Err(error.into()),
        }
        if R::update(conn, id, old, new)? {
            self.tally.changed += 1;
        } else {
            self.tally.unchanged += 1;
        }
        Ok(())
    }

    /// The rows with the objects that they mean, and their forms.
    fn matched(
        &mut self,
        conn: &mut DbConnection,
        records: Vec<(Record, Option<Ready>)>,
    ) -> Result<(Vec<Row<R>>, Vec<Form>), Undone> {
        let mut given = |(mut record, ready): (Record, Option<Ready>)| {
            let mut errors = FieldErrors::default();
            let id = self.id(&mut record.fields, &mut errors);
            (record, ready, errors, id)
        };
        let mut records: Vec<_> = records.into_iter().map(&mut given).collect();
        let stored = records.iter().filter_map(|(_, _, _, id)| *id);
        let mut stored: Vec<i64> = stored.filter(|id| *id <= self.last_id).collect();
        stored.sort_unstable();
        let mut olds: HashMap<i64, R> = HashMap::new();
        if !stored.is_empty() {
            let rows = R::of_ids(conn, &stored)?;
            olds.extend(rows.into_iter().map(|row| (row.id(), row)));
        }
        let (mut rows, mut forms) = (Vec::new(), Vec::new());
        for (record, ready, errors, id) in records.drain(..) {
            let name = R::MATCHED_BY.and_then(|key| natural_name(record.fields.get(key)?));
            let old = match (id, &name) {
                (Some(id), _) => olds.remove(&id),
                (None, Some(name)) => R::matching(conn, name)?,
                (None, None) => None,
            };
            let repeated = name.is_some_and(|name| self.names.contains(&fold(&name)));
            let mut form = Form::of_file(record.fields, old.is_none());
            form.need(R::COLUMNS);
            if let Some(ready) = ready {
                form.hash = ready.hash(conn, old.as_ref().map(Stored::id))?;
            }
            form.refuse_all(&errors);
            if let Some(key) = R::MATCHED_BY.filter(|_| repeated) {
                form.refuse(key, &rules::taken(R::TYPE.name(), key));
            }
            forms.push(form);
            rows.push(Row {
                line: record.line,
                id,
                old,
            });
        }
        Ok((rows, forms))
    }

    /// The id that a row gives, which no row before has given.
    fn id(&mut self, fields: &mut BTreeMap<String, Json>, errors: &mut FieldErrors) -> Option<i64> {
        let value = fields.remove("id").filter(|id| *id != Json::Null)?;
        match rules::integer(&value.digits(), &(1..=rules::ID_MAX)) {
            Ok(id) => {
                if !self.ids.insert(id) {
                    errors.add("id", &rules::taken(R::TYPE.name(), "id"));
                }
                Some(id)
            }
            Err(message) => {
                errors.add("id", &message);
                None
            }
        }
    }
}

/// The name by which a row means an object, if it can be one.
fn natural_name(value: &Json) -> Option<String> {
    rules::text(&value.to_text().ok()?, NAME_MAX).ok()
}
