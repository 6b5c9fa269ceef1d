use actix_web::web::{Data, Json};
use serde::Serialize;

use super::Id;
use crate::{
    db::{Db, Stamp},
    error::Error,
    models::{Company, CompanyBrief},
    query::{Detail, Filter, Filtered, List, Page, Shape, Shown},
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
    db: Data<Db>,
    id: Id<Company>,
    detail: Detail<Company>,
) -> Result<Json<Shown<CompanyBody>>, Error> {
    let company = db
        .read(move |conn| id.found(Company::find(conn, id.get())?))
        .await?;
    Ok(Json(detail.fields.show(company.into())))
}
