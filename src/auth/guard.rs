//! Permissions as types: a handler's first argument says whom it answers, and what it guards is reached through it alone.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::authenticate::{Identity, caller};
use crate::{
    api::{Id, Resource},
    db::DbConnection,
    error::Error,
    middleware::Caching,
    models::{self, Hold, Stored as _},
    openapi::{Describe, Operation, Security},
};

/// Whom a handler answers. It is the handler's first argument, for [`Endpoint`](crate::endpoint::Endpoint) takes no other
/// handlers: a forgotten check does not compile.
pub trait Guard: FromRequest<Error = Error> + Describe + Send + 'static {
    /// Whether it asks who is calling at all.
    const ASKS: bool = true;
    /// Whether requests are counted for the throttles.
    const COUNTS: bool = true;
    /// Who may keep the answers.
    const CACHING: Caching;
    /// What a transaction that writes knows of the caller.
    type By: 'static;

    /// Whether this caller is answered, as far as that can be said without the object.
    ///
    /// # Errors
    /// 401 or 403.
    fn admit(caller: Option<&User>) -> Result<(), Error>;

    /// Judges the caller again, in the transaction that writes: minutes may lie between the head of a request and the end of
    /// its body, and the caller may have been demoted, deactivated, deleted or signed out in them. What is found stays true
    /// until the transaction ends. A handler writes through [`Transaction`](crate::api::Transaction) alone, which asks for this.
    ///
    /// # Errors
    /// 401 or 403.
    fn judge(&self, conn: &mut DbConnection) -> Result<Self::By, Error>;
}

/// The arguments of a handler that has a guard.
pub trait Guarded {
    type Guard: Guard;

    /// Says what all of them add to the operation.
    fn describe(operation: &mut Operation);
}

macro_rules! guarded {
    ($($rest:ident)*) => {
        impl<G: Guard, $($rest: Describe),*> Guarded for (G, $($rest,)*) {
            type Guard = G;

            fn describe(operation: &mut Operation) {
                if G::COUNTS {
                    operation.refuses(&[429]);
                }
                G::describe(operation);
                $($rest::describe(operation);)*
            }
        }
    };
}

guarded!();
guarded!(A);
guarded!(A B);
guarded!(A B C);
guarded!(A B C D);
guarded!(A B C D E);
guarded!(A B C D E F);

/// Everybody, without a look at their credentials: a client renews an expired token through the same connection that
/// sends it along.
pub struct Anonymous(());

/// A probe of the server's health: the client is not identified, and the request is not counted.
pub struct Probe(());

/// A request for a file of a page, under a name that changes with the file: the client is not identified, and the request is not counted.
pub struct Part(());

/// Everybody; but a token that is sent must be a good one.
pub struct Anyone(());

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct User {
    pub id: i64,
    pub username: String,
    pub is_staff: bool,
    /// The session that their token was given out in.
    pub(super) session: i64,
}

/// Somebody of the staff.
#[derive(Debug, Clone)]
pub struct Staff(User);

/// Somebody who changes their own account or ends one of their sessions.
#[derive(Debug, Clone)]
pub struct Oneself(User);

/// Somebody who wants to change the `T` of the path's `{id}`. Whether they may is judged when it is
/// [loaded](Edits::load), in the transaction that changes it.
pub struct Editing<T> {
    user: User,
    id: Id<T>,
}

/// Staff who want to change the `T` of the path's `{id}`.
pub struct Managing<T> {
    staff: Staff,
    id: Id<T>,
}

/// A guard that leads to the object to be changed.
pub trait Edits<T>: Guard {
    /// Judges the caller and loads the object, in the transaction that changes it.
    ///
    /// # Errors
    /// 401 and 403; 404 when the object is not there or not to be seen.
    fn load(&self, conn: &mut DbConnection) -> Result<(User, T), Error>;
}

/// An object that belongs to somebody.
pub trait Owned: Resource {
    /// Whether those whose it is not see it all the same.
    const PUBLIC: bool;

    /// The user whose it is.
    fn owner(&self) -> Option<i64>;
}

impl<T: Owned> Edits<T> for Editing<T> {
    fn load(&self, conn: &mut DbConnection) -> Result<(User, T), Error> {
        let by = self.judge(conn)?;
        let object = self.id.held(conn)?;
        if by.is_staff || object.owner() == Some(by.id) {
            Ok((by, object))
        } else if T::PUBLIC {
            Err(Error::NotTheOwner)
        } else {
            self.id.found(None).map(|object| (by, object))
        }
    }
}

impl<T: Resource> Edits<T> for Managing<T> {
    fn load(&self, conn: &mut DbConnection) -> Result<(User, T), Error> {
        let by = self.judge(conn)?;
        Ok((by, self.id.held(conn)?))
    }
}

impl Edits<models::User> for Oneself {
    fn load(&self, conn: &mut DbConnection) -> Result<(User, models::User), Error> {
        let by = self.judge(conn)?;
        let user = models::User::find(conn, by.id)?;
        let user = user.ok_or(Error::Internal("a user who is held is gone".to_owned()))?;
        Ok((by, user))
    }
}

impl Oneself {
    pub fn user(&self) -> &User {
        &self.0
    }
}

impl User {
    /// The person at the command line, who may do everything.
    pub fn operator() -> Self {
        Self::nobody(true)
    }

    /// Whom a form is described to that nobody sent.
    pub fn nobody(is_staff: bool) -> Self {
        Self {
            id: 0,
            username: String::new(),
            is_staff,
            session: 0,
        }
    }

    fn calling(request: &HttpRequest) -> Result<Self, Error> {
        caller(request)?.ok_or(Error::NotAuthenticated)
    }

    fn identity(&self) -> Identity {
        Identity {
            user: self.id,
            session: self.session,
        }
    }

    /// The user as the database knows them now, for a transaction that reads.
    ///
    /// # Errors
    /// 401 when they are not there or not active any more, and when the session has ended.
    pub fn again(&self, conn: &mut DbConnection) -> Result<Self, Error> {
        self.identity().found(conn)
    }

    fn held(&self, conn: &mut DbConnection, hold: Hold) -> Result<Self, Error> {
        self.identity().held(conn, hold)
    }
}

impl Guard for Anonymous {
    const ASKS: bool = false;
    // It asks nobody because it is there to make tokens.
    const CACHING: Caching = Caching::Secret;
    type By = ();

    fn admit(_: Option<&User>) -> Result<(), Error> {
        Ok(())
    }

    fn judge(&self, _: &mut DbConnection) -> Result<(), Error> {
        Ok(())
    }
}

impl Guard for Probe {
    const ASKS: bool = false;
    const COUNTS: bool = false;
    const CACHING: Caching = Caching::Public;
    type By = ();

    fn admit(_: Option<&User>) -> Result<(), Error> {
        Ok(())
    }

    fn judge(&self, _: &mut DbConnection) -> Result<(), Error> {
        Ok(())
    }
}

impl Guard for Part {
    const ASKS: bool = false;
    const COUNTS: bool = false;
    const CACHING: Caching = Caching::Immutable;
    type By = ();

    fn admit(_: Option<&User>) -> Result<(), Error> {
        Ok(())
    }

    fn judge(&self, _: &mut DbConnection) -> Result<(), Error> {
        Ok(())
    }
}

impl Guard for Anyone {
    const CACHING: Caching = Caching::Public;
    type By = ();

    fn admit(_: Option<&User>) -> Result<(), Error> {
        Ok(())
    }

    fn judge(&self, _: &mut DbConnection) -> Result<(), Error> {
        Ok(())
    }
}

impl Guard for User {
    const CACHING: Caching = Caching::Private;
    type By = Self;

    fn admit(caller: Option<&User>) -> Result<(), Error> {
        caller.map(|_| ()).ok_or(Error::NotAuthenticated)
    }

    fn judge(&self, conn: &mut DbConnection) -> Result<User, Error> {
        self.held(conn, Hold::Shared)
    }
}

impl Guard for Oneself {
    const CACHING: Caching = Caching::Private;
    type By = User;

    fn admit(caller: Option<&User>) -> Result<(), Error> {
        User::admit(caller)
    }

    fn judge(&self, conn: &mut DbConnection) -> Result<User, Error> {
        self.0.held(conn, Hold::Alone)
    }
}

impl Guard for Staff {
    const CACHING: Caching = Caching::Private;
    type By = User;

    fn admit(caller: Option<&User>) -> Result<(), Error> {
        match caller {
            Some(user) if user.is_staff => Ok(()),
            Some(_) => Err(Error::PermissionDenied),
            None => Err(Error::NotAuthenticated),
        }
    }

    fn judge(&self, conn: &mut DbConnection) -> Result<User, Error> {
        let by = self.0.judge(conn)?;
        Self::admit(Some(&by))?;
        Ok(by)
    }
}

impl<T: Resource> Guard for Managing<T> {
    const CACHING: Caching = Caching::Private;
    type By = User;

    fn admit(caller: Option<&User>) -> Result<(), Error> {
        Staff::admit(caller)
    }

    fn judge(&self, conn: &mut DbConnection) -> Result<User, Error> {
        self.staff.judge(conn)
    }
}

impl<T: Owned> Guard for Editing<T> {
    const CACHING: Caching = Caching::Private;
    type By = User;

    fn admit(caller: Option<&User>) -> Result<(), Error> {
        User::admit(caller)
    }

    fn judge(&self, conn: &mut DbConnection) -> Result<User, Error> {
        self.user.judge(conn)
    }
}

impl Describe for Anonymous {
    fn describe(operation: &mut Operation) {
        operation.secured(Security::Nobody);
    }
}

impl Describe for Probe {
    fn describe(operation: &mut Operation) {
        operation.secured(Security::Nobody);
    }
}

impl Describe for Part {
    fn describe(operation: &mut Operation) {
        operation.secured(Security::Nobody);
    }
}

impl Describe for Anyone {
    fn describe(operation: &mut Operation) {
        operation.secured(Security::Anybody);
        operation.refuses(&[401]);
    }
}

impl Describe for User {
    fn describe(operation: &mut Operation) {
        operation.secured(Security::Users);
        operation.refuses(&[401]);
    }
}

impl Describe for Oneself {
    fn describe(operation: &mut Operation) {
        User::describe(operation);
    }
}

impl Describe for Staff {
    fn describe(operation: &mut Operation) {
        User::describe(operation);
        operation.refuses(&[403]);
    }
}

impl<T: Resource> Describe for Managing<T> {
    fn describe(operation: &mut Operation) {
        Staff::describe(operation);
        Id::<T>::describe(operation);
    }
}

impl<T: Owned> Describe for Editing<T> {
    fn describe(operation: &mut Operation) {
        User::describe(operation);
        Id::<T>::describe(operation);
        if T::PUBLIC {
            operation.refuses(&[403]);
        }
    }
}

impl FromRequest for Anonymous {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(())))
    }
}

impl FromRequest for Probe {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(())))
    }
}

impl FromRequest for Part {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(())))
    }
}

impl FromRequest for Anyone {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(|_| Self(())))
    }
}

impl FromRequest for User {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::calling(request))
    }
}

impl FromRequest for Oneself {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(User::calling(request).map(Self))
    }
}

impl FromRequest for Staff {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let staff = caller(request).and_then(|caller| {
            Self::admit(caller.as_ref())?;
            caller.map(Self).ok_or(Error::NotAuthenticated)
        });
        ready(staff)
    }
}

impl<T: Resource> FromRequest for Managing<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let staff = Staff::from_request(request, payload).into_inner();
        ready(staff.and_then(|staff| {
            let id = Id::of(request)?;
            Ok(Self { staff, id })
        }))
    }
}

impl<T: Owned> FromRequest for Editing<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let editing = User::calling(request).and_then(|user| {
            let id = Id::of(request)?;
            Ok(Self { user, id })
        });
        ready(editing)
    }
}
