use actix_web::web::{Data, Json};
use serde::Serialize;

use super::{Body, Created, Form, Id, NoContent, form};
use crate::{
    auth::{Anyone, Staff},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Company, CompanyBrief, CompanyDraft},
    query::{Detail, Filter, Filtered, List, Listed, NoParams, Page, Shape, Shown},
    rules,
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
) -> Result<Json<Page<Shown<CompanyBody>>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, Company::all())).await?;
    Ok(Json(frame.page(slice)))
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

/// `POST /api/companies/`
///
/// # Errors
/// 400 for fields that do not fit.
pub async fn create_company(
    _: Staff,
    db: Data<Db>,
    body: Body,
) -> Result<Created<CompanyBody>, Error> {
    db.write(move |conn| {
        let mut draft = CompanyDraft::new(Stamp::now());
        read(conn, body.form()?, &mut draft, None)?;
        let id = draft.insert(conn, None)?;
        Ok(Created {
            id,
            body: stored(conn, id)?,
        })
    })
    .await
}

/// `PUT` and `PATCH /api/companies/{id}/`
///
/// # Errors
/// 404 when there is none, 400 for fields that do not fit.
pub async fn update_company(
    _: Staff,
    db: Data<Db>,
    id: Id<Company>,
    body: Body,
) -> Result<Json<CompanyBody>, Error> {
    db.write(move |conn| {
        let old = CompanyDraft::from(id.found(Company::held(conn, id.get())?)?);
        let mut draft = old.clone();
        read(conn, body.form()?, &mut draft, Some(id.get()))?;
        if draft != old {
            draft.updated_at = Stamp::now();
            draft.update(conn, id.get())?;
        }
        stored(conn, id.get()).map(Json)
    })
    .await
}

/// `DELETE /api/companies/{id}/`: its developers go with it.
///
/// # Errors
/// 404 when there is none.
pub async fn delete_company(
    _: Staff,
    _: NoParams,
    db: Data<Db>,
    id: Id<Company>,
) -> Result<NoContent, Error> {
    db.write(move |conn| {
        id.found(Company::held(conn, id.get())?)?;
        Company::delete(conn, id.get())?;
        Ok::<_, Error>(NoContent)
    })
    .await
}

/// Reads a company into the draft; `id` is that of the company to be changed.
fn read(
    conn: &mut DbConnection,
    mut form: Form,
    draft: &mut CompanyDraft,
    id: Option<i64>,
) -> Result<(), Error> {
    let years = Company::FOUNDED_YEAR_MIN..=i64::from(Stamp::now().year());
    form.required("name", &mut draft.name, form::text(Company::NAME_MAX));
    form.required(
        "founded_year",
        &mut draft.founded_year,
        form::integer(years),
    );
    let named = Company::named(conn, &draft.name)?;
    if named.is_some_and(|named| Some(named.id) != id) {
        form.refuse("name", &rules::taken("company", "name"));
    }
    form.read_only(&["id", "created_at", "updated_at"]);
    form.finish()
}

fn stored(conn: &mut DbConnection, id: i64) -> Result<CompanyBody, Error> {
    let company = Company::find(conn, id)?;
    Ok(company.ok_or(Error::NoSuchObject(Company::NAME))?.into())
}
