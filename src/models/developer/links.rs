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
    /// That a developer has a skill. The link is the pair.
    DeveloperSkill,
    Developer,
    developer_skills,
    developer_id
);
