use diesel::prelude::*;

use super::Project;
use crate::{
    db::{
        DbConnection,
        schema::{project_skills, skills},
    },
    models::{
        Skill,
        batch::{Batch, InBatch},
        one_of::OneOf,
        skill_links::skill_links,
    },
};

skill_links!(
    /// A link: the project needs the skill.
    ProjectSkill,
    Project,
    project_skills,
    project_id
);
