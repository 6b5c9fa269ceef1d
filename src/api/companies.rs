use actix_web::web::{Data, Json};
use diesel::QueryResult;
use serde::Serialize;

use super::{Answer, Body, Form, Id, Items, Names, Resource, Write, cascade, form};
use crate::{
    auth::{self, Anyone, Staff},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Author, Company, CompanyBrief, CompanyDraft, Developer, ObjectType, Stored},
    query::{Detail, Filter, Filtered, List, NoParams, Page, Shape, Shown},
};

/// A company as the API shows it.
#[derive(Debug, Serialize)]
pub struct CompanyBody {
    pub id: i64,
    pub name: String,
    pub founded_year: i32,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

impl From<Company> for CompanyBody {
    fn from(company: Company) -> Self {
        let Company {
            id,
            name,
            founded_year,
            created_at,
            updated_at,
        } = company;
        Self {
            id,
            name,
            founded_year,
            created_at,
            updated_at,
        }
    }
}

/// A company as its developers show it.
#[derive(Debug, Serialize)]
pub struct CompanyBriefBody {
    pub id: i64,
    pub name: String,
    pub founded_year: i32,
}

impl From<CompanyBrief> for CompanyBriefBody {
    fn from(company: CompanyBrief) -> Self {
        let CompanyBrief {
            id,
            name,
            founded_year,
        } = company;
        Self {
            id,
            name,
            founded_year,
        }
    }
}

impl Filtered for Company {
    const FILTERS: &'static [Filter] = &[];
    const SHAPE: Shape = &[
        ("id", &[]),
        ("name", &[]),
        ("founded_year", &[]),
        ("created_at", &[]),
        ("updated_at", &[]),
    ];
}

/// `GET /api/companies/`: the newest first.
///
/// # Errors
/// 400 for a parameter that does not fit, 404 for a cursor that does not.
pub async fn list_companies(
    _: Anyone,
    db: Data<Db>,
    list: List<Company>,
) -> Result<Page<Shown<CompanyBody>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, Company::all())).await?;
    Ok(frame.page(slice))
}

/// `GET /api/companies/{id}/`
///
/// # Errors
/// 400 for a field that it does not have, 404 when there is none.
pub async fn get_company(
    _: Anyone,
    db: Data<Db>,
    id: Id<Company>,
    detail: Detail<Company>,
) -> Result<Json<Shown<CompanyBody>>, Error> {
    let company = db
        .read(move |conn| id.found(Company::find(conn, id.get())?))
        .await?;
    Ok(Json(detail.fields.show(company.into())))
}

/// `POST /api/companies/`: one, or an array of them.
///
/// # Errors
/// 400 for fields that do not fit.
pub async fn create_company(Staff(by): Staff, write: Write, items: Items) -> Result<Answer, Error> {
    write.create_some::<Company>(by, items).await
}

/// `PUT` and `PATCH /api/companies/{id}/`
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for fields that do not fit.
pub async fn update_company(
    Staff(by): Staff,
    id: Id<Company>,
    write: Write,
    body: Body,
) -> Result<Answer, Error> {
    write.update(by, body, move |conn| id.held(conn)).await
}

/// `DELETE /api/companies/{id}/`: its developers go with it.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since.
pub async fn delete_company(
    _: Staff,
    _: NoParams,
    id: Id<Company>,
    write: Write,
) -> Result<Answer, Error> {
    write.delete(move |conn| id.held(conn)).await
}

impl Resource for Company {
    const TYPE: ObjectType = ObjectType::Company;
    type Body = CompanyBody;
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
        let years = Self::FOUNDED_YEAR_MIN..=i64::from(Stamp::now().year());
        form.required("name", &mut draft.name, form::text(Self::NAME_MAX));
        form.required(
            "founded_year",
            &mut draft.founded_year,
            form::integer(years),
        );
        form.read_only(&["id", "created_at", "updated_at"]);
        names.take(form, &draft.name, id, Self::TYPE);
    }

    fn insert(conn: &mut DbConnection, draft: &CompanyDraft) -> QueryResult<i64> {
        draft.insert(conn, None)
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        old: &CompanyDraft,
        mut new: CompanyDraft,
    ) -> Result<(), Error> {
        if new != *old {
            new.updated_at = Stamp::now();
            new.update(conn, id)?;
        }
        Ok(())
    }

    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error> {
        let developers = Developer::ids_of_company(conn, id)?;
        cascade::deleted::<Developer>(conn, author, &developers)?;
        Ok(Self::remove(conn, id)?)
    }

    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<CompanyBody>> {
        let companies = Self::of_ids(conn, ids)?;
        Ok(companies.into_iter().map(CompanyBody::from).collect())
    }
}
