use diesel::prelude::*;

use super::Developer;
use crate::{
    db::{
        DbConnection,
        schema::{developer_skills, skills},
    },
    models::{
        Skill,
        batch::{Batch, InBatch},
        one_of::OneOf,
        skill_links::skill_links,
    },
};

skill_links!(
    /// A link: the developer has the skill.
    DeveloperSkill,
    Developer,
    developer_skills,
    developer_id
);
