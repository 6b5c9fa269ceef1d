//! Rows and their queries. A model returns Diesel's results and knows nothing of HTTP.

mod batch;
mod company;
mod developer;
mod insert;
mod skill;

pub use company::{Company, CompanyBrief, CompanyQuery, NewCompany};
pub use developer::{Developer, DeveloperQuery, DeveloperScopes, DeveloperSkill, NewDeveloper};
pub use skill::{NewSkill, Skill, SkillQuery, SkillRef};
