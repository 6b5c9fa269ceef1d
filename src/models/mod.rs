//! Rows and their queries. A model returns Diesel's results and knows nothing of HTTP.

mod batch;
mod company;
mod developer;
mod insert;
mod one_of;
mod project;
mod reference;
mod session;
mod skill;
mod skill_links;
mod user;

pub use company::{Company, CompanyBrief, CompanyDraft, CompanyQuery};
pub use developer::{Developer, DeveloperDraft, DeveloperQuery, DeveloperScopes, DeveloperSkill};
pub use project::{Project, ProjectDraft, ProjectQuery, ProjectSkill};
pub use reference::{Found, Referable, Reference};
pub use session::{NewRefreshToken, Origin, Session, SignIn, Use};
pub use skill::{Skill, SkillDraft, SkillQuery};
pub use user::{User, UserBrief, UserDraft, UserQuery, UserRights};
