use diesel::QueryResult;

use super::{About, Form, Names, Readable, Resource, cascade, form};
use crate::{
    auth::{self, Anyone, Managing, Staff},
    db::{DbConnection, Stamp},
    error::Error,
    files::{Column, needed, optional},
    models::{
        Author, Developer, DeveloperSkill, ObjectType, Project, ProjectSkill, Skill, SkillDraft,
        SkillQuery, Stored,
    },
    query::{Fields, Filtered},
};

impl Filtered for Skill {
    type Body = Self;
}

impl Readable for Skill {
    type Reader = Anyone;

    fn visible(_: &Anyone, _: &Fields) -> SkillQuery {
        Self::all()
    }

    fn show(_: &mut DbConnection, rows: Vec<Self>, _: &Fields) -> QueryResult<Vec<Self>> {
        Ok(rows)
    }
}

impl Resource for Skill {
    const TYPE: ObjectType = ObjectType::Skill;
    const ABOUT: About = About {
        many: "skills",
        one: "a skill",
        tag: "Skills, which developers have and projects need.",
        list: "Skills, by name.",
        create: "",
        editors: "",
        delete: "Deletes a skill and removes it from developers and projects.",
    };
    const COLUMNS: &'static [Column] = &[optional("id"), needed("name"), needed("category")];
    const MATCHED_BY: Option<&'static str> = Some("name");
    const BULK: bool = true;
    type Creator = Staff;
    type Editor = Managing<Self>;
    type Remover = Managing<Self>;
    type Draft = SkillDraft;
    type Known = Names<Self>;

    fn blank(_: &auth::User, _: Stamp) -> SkillDraft {
        SkillDraft::default()
    }

    fn draft(self) -> SkillDraft {
        self.into()
    }

    fn known(conn: &mut DbConnection, forms: &[Form]) -> QueryResult<Names<Self>> {
        Names::load(conn, forms)
    }

    fn read(
        form: &mut Form,
        draft: &mut SkillDraft,
        names: &mut Names<Self>,
        _: &auth::User,
        id: Option<i64>,
    ) {
        form.required(
            "name",
            &mut draft.name,
            form::text_by(Self::NAME_MAX, Self::check_name),
        );
        form.required(
            "category",
            &mut draft.category,
            form::text(Self::CATEGORY_MAX),
        );
        form.read_only(&["id"]);
        names.take(form, &draft.name, id, Self::TYPE);
    }

    fn matching(conn: &mut DbConnection, name: &str) -> QueryResult<Option<Self>> {
        Self::named(conn, name)
    }

    fn insert(conn: &mut DbConnection, id: Option<i64>, draft: &SkillDraft) -> QueryResult<i64> {
        draft.insert(conn, id)
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        old: &SkillDraft,
        new: SkillDraft,
    ) -> QueryResult<bool> {
        let changed = new != *old;
        if changed {
            new.update(conn, id)?;
        }
        Ok(changed)
    }

    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error> {
        let developers = DeveloperSkill::owners(conn, id)?;
        cascade::unlinked::<Developer>(conn, author, &developers, id)?;
        let projects = ProjectSkill::owners(conn, id)?;
        cascade::unlinked::<Project>(conn, author, &projects, id)?;
        Ok(Self::remove(conn, id)?)
    }
}
