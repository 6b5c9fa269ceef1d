use diesel::QueryResult;

use super::{About, Form, Names, Readable, Resource, cascade, form};
use crate::{
    auth::{self, Anyone, Managing, Staff},
    db::{DbConnection, Stamp},
    error::Error,
    files::{Column, needed, optional},
    models::{Author, Company, CompanyDraft, CompanyQuery, Developer, ObjectType, Stored},
    query::{Fields, Filtered},
};

impl Filtered for Company {
    type Body = Self;
}

impl Readable for Company {
    type Reader = Anyone;

    fn visible(_: &Anyone, _: &Fields) -> CompanyQuery {
        Self::all()
    }

    fn show(_: &mut DbConnection, rows: Vec<Self>, _: &Fields) -> QueryResult<Vec<Self>> {
        Ok(rows)
    }
}

impl Resource for Company {
    const TYPE: ObjectType = ObjectType::Company;
    const ABOUT: About = About {
        many: "companies",
        one: "a company",
        tag: "Companies: the employers of developers.",
        list: "Companies, newest first.",
        create: "",
        editors: "",
        delete: "Deletes a company and its developers.",
    };
    const COLUMNS: &'static [Column] = &[
        optional("id"),
        needed("name"),
        needed("founded_year"),
        optional("created_at"),
    ];
    const MATCHED_BY: Option<&'static str> = Some("name");
    const BULK: bool = true;
    type Creator = Staff;
    type Editor = Managing<Self>;
    type Remover = Managing<Self>;
    type Draft = CompanyDraft;
    type Known = Names<Self>;

    fn blank(_: &auth::User, now: Stamp) -> CompanyDraft {
        CompanyDraft::new(now)
    }

    fn draft(self) -> CompanyDraft {
        self.into()
    }

    fn known(conn: &mut DbConnection, forms: &[Form]) -> QueryResult<Names<Self>> {
        Names::load(conn, forms)
    }

    fn read(
        form: &mut Form,
        draft: &mut CompanyDraft,
        names: &mut Names<Self>,
        _: &auth::User,
        id: Option<i64>,
    ) {
        form.required("name", &mut draft.name, form::text(Self::NAME_MAX));
        form.required(
            "founded_year",
            &mut draft.founded_year,
            form::year(Self::FOUNDED_YEAR_MIN),
        );
        if form.is_of_file() {
            form.kept("created_at", &mut draft.created_at, form::Moment);
        }
        if id.is_none() {
            draft.updated_at = draft.created_at;
        }
        form.read_only(&["id", "created_at", "updated_at"]);
        names.take(form, &draft.name, id, Self::TYPE);
    }

    fn matching(conn: &mut DbConnection, name: &str) -> QueryResult<Option<Self>> {
        Self::named(conn, name)
    }

    fn insert(conn: &mut DbConnection, id: Option<i64>, draft: &CompanyDraft) -> QueryResult<i64> {
        draft.insert(conn, id)
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        old: &CompanyDraft,
        mut new: CompanyDraft,
    ) -> QueryResult<bool> {
        let changed = new != *old;
        if changed {
            new.updated_at = Stamp::now();
            new.update(conn, id)?;
        }
        Ok(changed)
    }

    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error> {
        let developers = Developer::ids_of_company(conn, id)?;
        cascade::deleted::<Developer>(conn, author, &developers)?;
        Ok(Self::remove(conn, id)?)
    }
}
