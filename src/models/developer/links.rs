use diesel::{dsl, prelude::*};

use super::Developer;
use crate::{
    db::{DbConnection, schema::developer_skills},
    models::{
        Skill,
        batch::{Batch, InBatch},
    },
};

/// That a developer has a skill. The link is the pair.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable, Identifiable, Associations, Insertable,
)]
#[diesel(table_name = developer_skills, primary_key(developer_id, skill_id))]
#[diesel(belongs_to(Developer), belongs_to(Skill))]
pub struct DeveloperSkill {
    pub developer_id: i64,
    pub skill_id: i64,
}

impl<'a> BelongingToDsl<Batch<'a, Developer>> for DeveloperSkill {
    type Output = dsl::Filter<developer_skills::table, InBatch<developer_skills::developer_id>>;

    fn belonging_to(Batch(developers): Batch<'a, Developer>) -> Self::Output {
        let ids = developers.iter().map(|developer| developer.id);
        developer_skills::table.filter(InBatch::new(developer_skills::developer_id, ids))
    }
}

impl DeveloperSkill {
    /// Gives the developer these skills, none of which it has.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn link(conn: &mut DbConnection, developer_id: i64, skills: &[i64]) -> QueryResult<()> {
        let links = skills.iter().map(|&skill_id| Self {
            developer_id,
            skill_id,
        });
        match conn {
            // Within a transaction, rows one by one through one prepared statement are SQLite's fastest way.
            DbConnection::Sqlite(conn) => {
                for link in links {
                    diesel::insert_into(developer_skills::table)
                        .values(link)
                        .execute(conn)?;
                }
            }
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(conn) => {
                diesel::insert_into(developer_skills::table)
                    .values(links.collect::<Vec<_>>())
                    .execute(conn)?;
            }
        }
        Ok(())
    }

    /// Gives the developer exactly these skills, which are sorted and distinct, by the difference to those it has.
    /// Returns whether there was any.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn replace(
        conn: &mut DbConnection,
        developer_id: i64,
        skills: &[i64],
    ) -> QueryResult<bool> {
        let of_developer =
            developer_skills::table.filter(developer_skills::developer_id.eq(developer_id));
        let old: Vec<i64> = of_developer.select(developer_skills::skill_id).load(conn)?;
        let gone: Vec<i64> = old
            .iter()
            .copied()
            .filter(|id| skills.binary_search(id).is_err())
            .collect();
        let added: Vec<i64> = skills
            .iter()
            .copied()
            .filter(|id| !old.contains(id))
            .collect();
        if !gone.is_empty() {
            diesel::delete(of_developer.filter(developer_skills::skill_id.eq_any(&gone)))
                .execute(conn)?;
        }
        Self::link(conn, developer_id, &added)?;
        Ok(!gone.is_empty() || !added.is_empty())
    }
}
