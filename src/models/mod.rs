//! Rows and their queries. A model returns Diesel's results and knows nothing of HTTP.

mod audit;
mod batch;
mod company;
mod developer;
mod insert;
mod kept_answer;
mod one_of;
mod project;
mod reference;
mod session;
mod sign_in;
mod skill;
mod skill_links;
mod stored;
mod user;

pub use audit::{Action, AuditEntry, AuditQuery, Author, ObjectType, differences, hidden_change};
pub use company::{Company, CompanyBrief, CompanyDraft, CompanyQuery};
pub use developer::{Developer, DeveloperDraft, DeveloperQuery, DeveloperScopes, DeveloperSkill};
pub use kept_answer::{KeptAnswer, Retry};
pub use project::{Project, ProjectDraft, ProjectQuery, ProjectSkill};
pub use reference::{Found, Referable, Reference, no_such_id};
pub use session::{Family, NewRefreshToken, Next, Session, SessionQuery, Use};
pub use sign_in::{Candidate, Origin, SignIn};
pub use skill::{Skill, SkillDraft, SkillQuery};
pub use stored::Stored;
pub use user::{Hold, User, UserBrief, UserDraft, UserQuery, UserRights};

/// What Diesel calls a value that cannot be written as JSON.
pub fn unwritable(error: serde_json::Error) -> diesel::result::Error {
    diesel::result::Error::SerializationError(Box::new(error))
}
