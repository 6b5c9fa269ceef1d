//! Links to skills, with the same code for developers and projects.

use diesel::{QueryResult, RunQueryDsl as _, SqliteConnection, sql_types::Text};

use super::unwritable;

/// More links than this go to SQLite in one statement. For fewer, preparing it costs more than running a prepared statement
/// for each.
pub const MANY: usize = 200;

/// Runs `sql` with one parameter, the pairs as a JSON array. This is a few times as fast as a prepared statement for each pair.
pub fn insert_pairs(conn: &mut SqliteConnection, sql: &str, pairs: &[[i64; 2]]) -> QueryResult<()> {
    diesel::sql_query(sql)
        .bind::<Text, _>(serde_json::to_string(pairs).map_err(unwritable)?)
        .execute(conn)
        .map(|_| ())
}

/// Defines `$link`, a row of `$table` that links an `$owner` to a skill, and `$owner::with_skills`.
macro_rules! skill_links {
    ($(#[$doc:meta])* $link:ident, $owner:ident, $table:ident, $owner_id:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable, Identifiable, Associations, Insertable,
        )]
        #[diesel(table_name = $table, primary_key($owner_id, skill_id))]
        #[diesel(belongs_to($owner), belongs_to(Skill))]
        pub struct $link {
            pub $owner_id: i64,
            pub skill_id: i64,
        }

        impl<'a> BelongingToDsl<Batch<'a, $owner>> for $link {
            type Output = diesel::dsl::Filter<$table::table, InBatch<$table::$owner_id>>;

            fn belonging_to(Batch(owners): Batch<'a, $owner>) -> Self::Output {
                let ids = owners.iter().map(|owner| owner.id);
                $table::table.filter(InBatch::new($table::$owner_id, ids))
            }
        }

        impl $link {
            /// Links an owner to skills that it does not have yet.
            pub fn link(
                conn: &mut DbConnection,
                $owner_id: i64,
                skills: &[i64],
            ) -> QueryResult<()> {
                Self::link_each(conn, &[$owner_id], std::iter::once(skills))
            }

            /// Links each owner to its skills, none of which it has yet.
            pub fn link_each<'a>(
                conn: &mut DbConnection,
                owners: &[i64],
                skills: impl Iterator<Item = &'a [i64]>,
            ) -> QueryResult<()> {
                let links = owners.iter().zip(skills).flat_map(|(&$owner_id, skills)| {
                    skills.iter().map(move |&skill_id| Self {
                        $owner_id,
                        skill_id,
                    })
                });
                Self::store(conn, &links.collect::<Vec<_>>())
            }

            fn store(conn: &mut DbConnection, links: &[Self]) -> QueryResult<()> {
                /// Rows of one statement: PostgreSQL takes 65,535 parameters.
                #[cfg(feature = "postgres")]
                const ROWS: usize = 10_000;
                match conn {
                    DbConnection::Sqlite(conn) if links.len() > $crate::models::skill_links::MANY => {
                        let pairs = links.iter().map(|link| [link.$owner_id, link.skill_id]);
                        $crate::models::skill_links::insert_pairs(
                            conn,
                            concat!(
                                "INSERT INTO ", stringify!($table), " (", stringify!($owner_id), ", skill_id) ",
                                "SELECT value ->> 0, value ->> 1 FROM json_each(?)"
                            ),
                            &pairs.collect::<Vec<_>>(),
                        )?;
                    }
                    // The same prepared statement for each.
                    DbConnection::Sqlite(conn) => {
                        for link in links {
                            diesel::insert_into($table::table)
                                .values(*link)
                                .execute(conn)?;
                        }
                    }
                    #[cfg(feature = "postgres")]
                    DbConnection::Postgres(conn) => {
                        for links in links.chunks(ROWS) {
                            diesel::insert_into($table::table)
                                .values(links)
                                .execute(conn)?;
                        }
                    }
                }
                Ok(())
            }

            /// Whether the owner has the skill.
            pub fn exists(
                conn: &mut DbConnection,
                $owner_id: i64,
                skill_id: i64,
            ) -> QueryResult<bool> {
                let link = $table::table.find(($owner_id, skill_id)).select($table::skill_id);
                diesel::select(diesel::dsl::exists(link)).get_result(conn)
            }

            /// Removes the link, if there is one.
            pub fn unlink(
                conn: &mut DbConnection,
                $owner_id: i64,
                skill_id: i64,
            ) -> QueryResult<()> {
                diesel::delete($table::table.find(($owner_id, skill_id)))
                    .execute(conn)
                    .map(|_| ())
            }

            /// The ids of the owners that have the skill, in order.
            pub fn owners(conn: &mut DbConnection, skill_id: i64) -> QueryResult<Vec<i64>> {
                $table::table
                    .filter($table::skill_id.eq(skill_id))
                    .select($table::$owner_id)
                    .order($table::$owner_id)
                    .load(conn)
            }

            /// Gives the owner exactly these skills, which are sorted and distinct. Writes only the difference, and returns
            /// whether there was one.
            pub fn replace(
                conn: &mut DbConnection,
                $owner_id: i64,
                skills: &[i64],
            ) -> QueryResult<bool> {
                let of_owner = $table::table.filter($table::$owner_id.eq($owner_id));
                let old: Vec<i64> = of_owner.select($table::skill_id).load(conn)?;
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
                    diesel::delete(of_owner.filter(OneOf::ids($table::skill_id, &gone)))
                        .execute(conn)?;
                }
                Self::link(conn, $owner_id, &added)?;
                Ok(!gone.is_empty() || !added.is_empty())
            }
        }

        impl $owner {
            /// Loads the skills of all owners in one statement, those of each sorted by name.
            pub fn with_skills(
                conn: &mut DbConnection,
                owners: Vec<Self>,
            ) -> QueryResult<Vec<(Self, Vec<Skill>)>> {
                if owners.is_empty() {
                    return Ok(Vec::new());
                }
                let links: Vec<($link, Skill)> = $link::belonging_to(Batch(&owners))
                    .inner_join(skills::table)
                    .select(($link::as_select(), Skill::as_select()))
                    .load(conn)?;
                let grouped = links.grouped_by(&owners);
                Ok(owners
                    .into_iter()
                    .zip(grouped)
                    .map(|(owner, links)| {
                        let mut skills: Vec<Skill> =
                            links.into_iter().map(|(_, skill)| skill).collect();
                        skills.sort_unstable_by(|one, other| one.name.cmp(&other.name));
                        (owner, skills)
                    })
                    .collect())
            }
        }
    };
}
pub(super) use skill_links;
