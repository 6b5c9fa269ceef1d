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
    /// That a project needs a skill. The link is the pair.
    ProjectSkill,
    Project,
    project_skills,
    project_id
);
