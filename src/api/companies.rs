use actix_web::web::Data;
use diesel::QueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Body, Changed, CreatedSome, Done, Form, Id, Items, Names, Patch, Resource, Update,
    Write, cascade, form,
};
use crate::{
    auth::{self, Anyone, Staff},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Author, Company, CompanyBrief, CompanyDraft, Developer, ObjectType, Stored},
    query::{Detail, Filter, Filtered, List, NoParams, Page, Shape, Shown},
};

/// A company as the API shows it.
///
/// ```json
/// {"id": 1, "name": "Acme", "founded_year": 1999, "created_at": "2026-11-20T08:15:30.123456Z", "updated_at": "2026-11-20T08:15:30.123456Z"}
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Company)]
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
///
/// ```json
/// {"id": 1, "name": "Acme", "founded_year": 1999}
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompanyBrief)]
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

/// Companies, newest first.
///
/// # Errors
/// 400 for an unknown or invalid parameter, 404 for an invalid cursor.
#[utoipa::path(get, path = "/api/companies/")]
pub async fn list_companies(
    _: Anyone,
    db: Data<Db>,
    list: List<Company>,
) -> Result<Page<Shown<CompanyBody>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, Company::all())).await?;
    Ok(frame.page(slice))
}

/// One company.
///
/// # Errors
/// 400 for an unknown field, 404 when there is none.
#[utoipa::path(get, path = "/api/companies/{id}/")]
pub async fn get_company(
    _: Anyone,
    db: Data<Db>,
    id: Id<Company>,
    detail: Detail<Company>,
) -> Result<Shown<CompanyBody>, Error> {
    let company = db
        .read(move |conn| id.found(Company::find(conn, id.get())?))
        .await?;
    Ok(detail.fields.show(company.into()))
}

/// Creates a company, or several from an array: all or none.
///
/// # Errors
/// 400 for invalid fields.
#[utoipa::path(post, path = "/api/companies/")]
pub async fn create_company(
    Staff(by): Staff,
    write: Write,
    items: Items<Company>,
) -> Result<Answer<CreatedSome<Company>>, Error> {
    write.create_some::<Company>(by, items).await
}

/// Replaces a company.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(put, path = "/api/companies/{id}/")]
pub async fn update_company(
    Staff(by): Staff,
    id: Id<Company>,
    write: Write,
    body: Body<Update<Company>>,
) -> Result<Answer<Changed<Company>>, Error> {
    write.update(by, body, move |conn| id.held(conn)).await
}

/// Changes some fields of a company.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(patch, path = "/api/companies/{id}/")]
pub async fn partial_update_company(
    Staff(by): Staff,
    id: Id<Company>,
    write: Write,
    body: Body<Patch<Company>>,
) -> Result<Answer<Changed<Company>>, Error> {
    write.update(by, body, move |conn| id.held(conn)).await
}

/// Deletes a company and its developers.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since.
#[utoipa::path(delete, path = "/api/companies/{id}/")]
pub async fn delete_company(
    _: Staff,
    _: NoParams,
    id: Id<Company>,
    write: Write,
) -> Result<Answer<Done>, Error> {
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
        form.required("name", &mut draft.name, form::text(Self::NAME_MAX));
        form.required(
            "founded_year",
            &mut draft.founded_year,
            form::year(Self::FOUNDED_YEAR_MIN),
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

    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<(i64, CompanyBody)>> {
        let companies = Self::of_ids(conn, ids)?;
        Ok(companies
            .into_iter()
            .map(|company| (company.id, company.into()))
            .collect())
    }
}
