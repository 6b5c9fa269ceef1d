//! Permissions as types: a handler's first argument says whom it answers, and what it guards is reached through it alone.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::authenticate::caller;
use crate::{
    api::{Id, Resource},
    db::DbConnection,
    error::Error,
    models::UserRights,
    openapi::{Describe, Operation, Security},
};

/// Whom a handler answers. It is the handler's first argument, for [`Endpoint`](crate::endpoint::Endpoint) takes no other
/// handlers: a forgotten check does not compile.
pub trait Guard: FromRequest<Error = Error> + Describe + Send + 'static {
    /// Whether it asks who is calling at all.
    const ASKS: bool = true;
    /// Whether requests are counted for the throttles.
    const COUNTS: bool = true;

    /// Whether this caller is answered, as far as that can be said without the object.
    ///
    /// # Errors
    /// 401 or 403.
    fn admit(caller: Option<&UserRights>) -> Result<(), Error>;
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
pub struct Anonymous;

/// Whoever asks whether the server is well: nobody is identified, and nothing is counted.
pub struct Probe;

/// Everybody; but a token that is sent must be a good one.
pub struct Anyone;

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct User {
    pub id: i64,
    pub username: String,
    pub is_staff: bool,
}

/// Somebody of the staff.
#[derive(Debug, Clone)]
pub struct Staff(pub User);

/// Somebody who wants to change the `T` of the path's `{id}`. Whether they may is judged when it is
/// [loaded](Self::load), in the transaction that changes it.
pub struct Editing<T> {
    pub user: User,
    id: Id<T>,
}

/// Staff who want to change the `T` of the path's `{id}`.
pub struct Managing<T> {
    pub user: User,
    id: Id<T>,
}

/// A guard that leads to the object to be changed.
pub trait Edits<T>: Guard {
    /// Who changes it.
    fn user(&self) -> &User;

    /// Loads the object in the transaction that changes it.
    ///
    /// # Errors
    /// 404 when it is not there or not to be seen, 403 when it is another's.
    fn load(&self, conn: &mut DbConnection) -> Result<T, Error>;
}

/// An object that belongs to somebody.
pub trait Owned: Resource {
    /// Whether those whose it is not see it all the same.
    const PUBLIC: bool;

    /// The user whose it is.
    fn owner(&self) -> Option<i64>;
}

impl<T: Resource> Edits<T> for Managing<T> {
    fn user(&self) -> &User {
        &self.user
    }

    fn load(&self, conn: &mut DbConnection) -> Result<T, Error> {
        self.id.held(conn)
    }
}

impl<T: Owned> Edits<T> for Editing<T> {
    fn user(&self) -> &User {
        &self.user
    }

    fn load(&self, conn: &mut DbConnection) -> Result<T, Error> {
        let object = self.id.held(conn)?;
        if self.user.is_staff || object.owner() == Some(self.user.id) {
            Ok(object)
        } else if T::PUBLIC {
            Err(Error::NotTheOwner)
        } else {
            self.id.found(None)
        }
    }
}

impl User {
    fn of(caller: Option<UserRights>) -> Result<Self, Error> {
        let UserRights {
            id,
            username,
            is_staff,
            is_active: _,
        } = caller.ok_or(Error::NotAuthenticated)?;
        Ok(Self {
            id,
            username,
            is_staff,
        })
    }

    fn calling(request: &HttpRequest) -> Result<Self, Error> {
        Self::of(caller(request)?)
    }
}

impl Guard for Anonymous {
    const ASKS: bool = false;

    fn admit(_: Option<&UserRights>) -> Result<(), Error> {
        Ok(())
    }
}

impl Guard for Probe {
    const ASKS: bool = false;
    const COUNTS: bool = false;

    fn admit(_: Option<&UserRights>) -> Result<(), Error> {
        Ok(())
    }
}

impl Guard for Anyone {
    fn admit(_: Option<&UserRights>) -> Result<(), Error> {
        Ok(())
    }
}

impl Guard for User {
    fn admit(caller: Option<&UserRights>) -> Result<(), Error> {
        caller.map(|_| ()).ok_or(Error::NotAuthenticated)
    }
}

impl Guard for Staff {
    fn admit(caller: Option<&UserRights>) -> Result<(), Error> {
        match caller {
            Some(user) if user.is_staff => Ok(()),
            Some(_) => Err(Error::PermissionDenied),
            None => Err(Error::NotAuthenticated),
        }
    }
}

impl From<Staff> for User {
    fn from(Staff(user): Staff) -> Self {
        user
    }
}

impl<T: Resource> Guard for Managing<T> {
    fn admit(caller: Option<&UserRights>) -> Result<(), Error> {
        Staff::admit(caller)
    }
}

impl<T: Owned> Guard for Editing<T> {
    fn admit(caller: Option<&UserRights>) -> Result<(), Error> {
        User::admit(caller)
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
        ready(Ok(Self))
    }
}

impl FromRequest for Probe {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

impl FromRequest for Anyone {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(|_| Self))
    }
}

impl FromRequest for User {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::calling(request))
    }
}

impl FromRequest for Staff {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let staff = caller(request).and_then(|caller| {
            Self::admit(caller.as_ref())?;
            User::of(caller).map(Self)
        });
        ready(staff)
    }
}

impl<T: Resource> FromRequest for Managing<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let managing = caller(request).and_then(|caller| {
            Staff::admit(caller.as_ref())?;
            let (user, id) = (User::of(caller)?, Id::of(request)?);
            Ok(Self { user, id })
        });
        ready(managing)
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
